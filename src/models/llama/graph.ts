/**
 * The decoder of the Llama family as one graph for prefill and decoding: S new rows behind those of the state.
 * Every layer: x += attention(norm(x)); x += down(silu(gate(norm(x))) · up(norm(x))).
 */
import {
  cachedAttention,
  fromHeads,
  type KeptRows,
  keptRows,
  type Sight,
  sightOf,
  toHeads,
} from '../../graph/attention.js'
import {
  quickGelu,
  rotaryEmbedding,
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
} from '../../graph/contrib.js'
import { Graph, type GraphOptions, type Value } from '../../graph/graph.js'
import { embedding, linear, multiply } from '../../graph/linear.js'
import { gather, mul, shapeOf, split, squeeze } from '../../graph/ops.js'
import { decoder, decoderState } from './bindings.js'
import type { LlamaConfig } from './config.js'
import { ropeTable } from './rope.js'

/** Is told `hidden_<layer>`, the rows behind each layer, and `hidden_norm`, those before the output matrix. */
export type Observer = (name: string, value: Value) => void

/** What all layers share. */
interface Shared {
  config: LlamaConfig
  pastLength: Value
  cos: Value
  sin: Value
  sight: Sight
}

/**
 * The graph as bindings.ts describes it. P is the capacity of the state, of which `past_length` rows count.
 * @param positions rows that the rotary tables have: the most that a sequence can be long
 */
export function decoderGraph(
  config: LlamaConfig,
  options: GraphOptions,
  observe: Observer = () => {},
): Graph {
  const g = new Graph(decoder.graph, options)
  const tokens = g.input(decoder.tokens, 'int64', [1, 'S'])
  const pastLength = g.input(decoder.pastLength, 'int64', [1])
  const logitRows = g.input(decoder.logitRows, 'int64', ['R'])
  const state = decoderState(config).map((tensor) => keptRows(g, tensor, config.context))
  const ids = squeeze(tokens, [0]) // [S]
  const shared = sharedInputs(config, ids, pastLength, state[0]!.past)

  let x = g.scope('model', () => embedding(g, 'embed_tokens', ids)) // [S, hidden]
  let branch: Value | null = null
  const normed = (name: string): Value => {
    const scale = g.weight(`${name}.weight`)
    if (!branch) return simplifiedLayerNormalization(x, scale, config.epsilon)
    const [y, sum] = skipSimplifiedLayerNormalization(x, branch, scale, config.epsilon)
    x = sum
    return y
  }
  for (let layer = 0; layer < config.layers; layer++)
    g.scope(`model.layers.${layer}`, () => {
      const input = normed('input_layernorm')
      if (layer > 0) observe(`hidden_${layer - 1}`, x)
      branch = g.scope('self_attn', () => attention(input, shared, state[2 * layer]!, state[2 * layer + 1]!))
      const middle = normed('post_attention_layernorm')
      branch = g.scope('mlp', () => feedForward(middle, config))
    })
  const last = g.scope('model', () => normed('norm'))
  observe(`hidden_${config.layers - 1}`, x)
  observe('hidden_norm', last)
  g.output(decoder.logits, logits(gather(last, logitRows), config), ['R', config.vocabulary])
  return g
}

function sharedInputs(config: LlamaConfig, ids: Value, pastLength: Value, anyPast: Value): Shared {
  const g = ids.graph
  const dims = [config.context, config.headDim / 2]
  const table = (kind: 'cos' | 'sin') =>
    g.initializer(`rope.${kind}`, 'float32', dims, () =>
      ropeTable(kind, config.rope, config.headDim, config.context),
    )
  const sight = sightOf(pastLength, shapeOf(ids), anyPast, config.heads / config.kvHeads)
  return { config, pastLength, cos: table('cos'), sin: table('sin'), sight }
}

function attention(x: Value, shared: Shared, keys: KeptRows, values: KeptRows): Value {
  const { config, sight } = shared
  const { heads, kvHeads, headDim: width } = config
  const [q, k, v] = projections(x, shared)
  const mixed = cachedAttention(q, k, v, { keys, values, sight, heads, kvHeads, width })
  return linear(fromHeads(mixed, { heads, width }), 'o_proj')
}

/** Rotated queries [1, heads, S, headDim] and keys, and values [1, kvHeads, S, headDim]. */
function projections(x: Value, shared: Shared): [Value, Value, Value] {
  const { heads, kvHeads, headDim, headNorms, epsilon } = shared.config
  const g = x.graph
  const stacked = linear(x, 'q_proj', 'k_proj', 'v_proj') // [S, (heads + 2 kvHeads) · headDim]
  const all = toHeads(stacked, { heads: heads + 2 * kvHeads, width: headDim })
  const rotate = (rows: Value, count: number) =>
    rotaryEmbedding(rows, shared.pastLength, shared.cos, shared.sin, { heads: count })
  if (!headNorms) {
    const [qk, v] = split(all, [heads + kvHeads, kvHeads], 1)
    const [q, k] = split(rotate(qk!, heads + kvHeads), [heads, kvHeads], 1)
    return [q!, k!, v!]
  }
  const [q, k, v] = split(all, [heads, kvHeads, kvHeads], 1)
  const norm = (rows: Value, name: string) =>
    simplifiedLayerNormalization(rows, g.weight(`${name}.weight`), epsilon)
  return [rotate(norm(q!, 'q_norm'), heads), rotate(norm(k!, 'k_norm'), kvHeads), v!]
}

function feedForward(x: Value, { intermediate }: LlamaConfig): Value {
  const [gate, up] = split(linear(x, 'gate_proj', 'up_proj'), [intermediate, intermediate], 1)
  return linear(mul(quickGelu(gate!, 1), up!), 'down_proj')
}

/** x [R, hidden] → [R, vocabulary]. */
function logits(x: Value, config: LlamaConfig): Value {
  const g = x.graph
  const tied = config.tied ?? !g.hasWeight('lm_head.weight')
  if (!tied) return linear(x, 'lm_head')
  return g.scope('model', () => multiply(x, [g.tensor('embed_tokens.weight')], g.at('embed_tokens.weight')))
}
