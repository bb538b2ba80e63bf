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
import { Graph, type GraphOptions, type Value } from '../../graph/graph.js'
import { embedding, linear, outputProduct, tableProduct } from '../../graph/linear.js'
import { gather, mul, split } from '../../graph/ops.js'
import { scoresOutput } from '../../graph/scores.js'
import {
  type RotaryPositions,
  rmsNorm,
  rmsNormOfSum,
  rotaryPositions,
  rotated,
  type Sequences,
  silu,
  tokensInput,
} from '../../graph/transformer.js'
import { decoder, decoderState } from './bindings.js'
import type { LlamaConfig } from './config.js'
import { ropeTable } from './rope.js'

/** Is told `hidden_<layer>`, the rows behind each layer, and `hidden_norm`, those before the output matrix. */
export type Observer = (name: string, value: Value) => void

/** What all layers share. */
interface Shared {
  config: LlamaConfig
  batch: Value | undefined
  rotary: RotaryPositions
  sight: Sight
}

/**
 * The graph as bindings.ts describes it.
 * @param stateRows the most rows that a sequence can have: those of the rotary tables and, on TensorRT, of the state
 */
export function decoderGraph(
  config: LlamaConfig,
  stateRows: number,
  options: GraphOptions,
  observe: Observer = () => {},
): Graph {
  const g = new Graph(decoder.graph, options)
  const sequences = tokensInput(g, decoder.tokens, 'batch')
  const pastLength = g.input(decoder.pastLength, 'int64', ['batch'])
  const logitRows = g.input(decoder.logitRows, 'int64', ['wanted'])
  const state = decoderState(config).map((tensor) => keptRows(g, tensor, stateRows))
  const shared = sharedInputs(config, stateRows, sequences, pastLength, state[0]!.past)

  let x = g.scope('model', () => embedding(g, 'embed_tokens', sequences.tokens)) // [B·S, hidden]
  let branch: Value | null = null
  const normed = (name: string): Value => {
    const scale = g.weight(`${name}.weight`)
    if (!branch) return rmsNorm(x, scale, config.epsilon)
    const { normed, sum } = rmsNormOfSum(x, branch, scale, config.epsilon)
    x = sum
    return normed
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
  scoresOutput(logits(gather(last, logitRows), config), config.vocabulary, decoder)
  return g
}

function sharedInputs(
  config: LlamaConfig,
  stateRows: number,
  { rows, batch }: Sequences,
  pastLength: Value,
  anyPast: Value,
): Shared {
  const { rope, headDim, heads, kvHeads } = config
  const rotary = rotaryPositions(pastLength, rows, {
    dims: [stateRows, headDim / 2],
    table: (kind) => ropeTable(kind, rope, headDim, stateRows),
  })
  return { config, batch, rotary, sight: sightOf(pastLength, rows, anyPast, heads / kvHeads) }
}

function attention(x: Value, shared: Shared, keys: KeptRows, values: KeptRows): Value {
  const { config, sight } = shared
  const { heads, kvHeads, headDim: width } = config
  const [q, k, v] = projections(x, shared)
  const mixed = cachedAttention(q, k, v, { keys, values, sight, heads, kvHeads, width })
  return linear(fromHeads(mixed, { heads, width }), 'o_proj')
}

/** Rotated queries [B, heads, S, headDim] and keys, and values [B, kvHeads, S, headDim]. */
function projections(x: Value, { config, batch, rotary }: Shared): [Value, Value, Value] {
  const { heads, kvHeads, headDim, headNorms, epsilon } = config
  const g = x.graph
  const stacked = linear(x, 'q_proj', 'k_proj', 'v_proj') // [B·S, (heads + 2 kvHeads) · headDim]
  const all = toHeads(stacked, { heads: heads + 2 * kvHeads, width: headDim, batch })
  const rotate = (rows: Value, count: number) => rotated(rows, rotary, count)
  if (!headNorms) {
    const [qk, v] = split(all, [heads + kvHeads, kvHeads], 1)
    const [q, k] = split(rotate(qk!, heads + kvHeads), [heads, kvHeads], 1)
    return [q!, k!, v!]
  }
  const [q, k, v] = split(all, [heads, kvHeads, kvHeads], 1)
  const norm = (rows: Value, name: string) => rmsNorm(rows, g.weight(`${name}.weight`), epsilon)
  return [rotate(norm(q!, 'q_norm'), heads), rotate(norm(k!, 'k_norm'), kvHeads), v!]
}

function feedForward(x: Value, { intermediate }: LlamaConfig): Value {
  const [gate, up] = split(linear(x, 'gate_proj', 'up_proj'), [intermediate, intermediate], 1)
  return linear(mul(silu(gate!), up!), 'down_proj')
}

/** x [wanted, hidden] → [wanted, vocabulary]. */
function logits(x: Value, config: LlamaConfig): Value {
  const g = x.graph
  const tied = config.tied ?? !g.hasWeight('lm_head.weight')
  if (!tied) return outputProduct(x, 'lm_head')
  return g.scope('model', () => tableProduct(x, 'embed_tokens'))
}
