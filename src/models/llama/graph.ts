/**
 * The decoder of the Llama family as one graph for prefill and decoding: S new rows behind those of the state.
 * Every layer: x += attention(norm(x)); x += down(act(gate(norm(x))) · up(norm(x))); Gemma has a norm around each branch.
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
import { linear } from '../../graph/linear.js'
import { gather, gelu, mul, split } from '../../graph/ops.js'
import { scoresOutput } from '../../graph/scores.js'
import { embedding, outputProduct, tableProduct } from '../../graph/tables.js'
import {
  type RotaryPositions,
  rmsNorm,
  rmsNormOfSum,
  rotaryPositions,
  rotated,
  type Sequences,
  silu,
  softCapped,
  tokensInput,
} from '../../graph/transformer.js'
import { decoder, decoderState } from './bindings.js'
import type { LlamaConfig } from './config.js'
import type { LayerKind } from './layer-kinds.js'
import { ropeTable } from './rope.js'

/** Is told `hidden_<layer>`, the rows behind each layer, and `hidden_norm`, those before the output matrix. */
export type Observer = (name: string, value: Value) => void

/** What layers of one kind share; kinds that turn alike, or see alike, share that. */
interface Shared {
  config: LlamaConfig
  batch: Value | undefined
  /** null: heads are not turned. */
  rotary: RotaryPositions | null
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
  const kinds = [...new Set(config.layerKinds)]
  const around = { stateRows, pastLength, anyPast: state[0]!.past, ...sequences }
  const shared = new Map(kinds.map((kind) => [kind, sharedInputs(config, kind, around)]))

  let x = g.scope('model', () => scaledEmbedding(sequences.tokens, config)) // [B·S, hidden]
  let branch: Value | null = null
  const norm = (rows: Value, name: string) => rmsNorm(rows, g.weight(`${name}.weight`), config.epsilon)
  const normed = (name: string): Value => {
    if (!branch) return norm(x, name)
    const { normed, sum } = rmsNormOfSum(x, branch, g.weight(`${name}.weight`), config.epsilon)
    x = sum
    return normed
  }
  for (const [layer, kind] of config.layerKinds.entries())
    g.scope(`model.layers.${layer}`, () => {
      const input = normed('input_layernorm')
      if (layer > 0) observe(`hidden_${layer - 1}`, x)
      const [keys, values] = [state[2 * layer]!, state[2 * layer + 1]!]
      branch = g.scope('self_attn', () => attention(input, shared.get(kind)!, keys, values))
      if (config.branchNorms) branch = norm(branch, 'post_attention_layernorm')
      const middle = normed(config.branchNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm')
      branch = g.scope('mlp', () => feedForward(middle, config))
      if (config.branchNorms) branch = norm(branch, 'post_feedforward_layernorm')
    })
  const last = g.scope('model', () => normed('norm'))
  observe(`hidden_${config.layers - 1}`, x)
  observe('hidden_norm', last)
  scoresOutput(logits(gather(last, logitRows), config), config.vocabulary, decoder)
  return g
}

function scaledEmbedding(tokens: Value, { embeddingScale }: LlamaConfig): Value {
  const rows = embedding(tokens.graph, 'embed_tokens', tokens)
  return embeddingScale === 1 ? rows : mul(rows, embeddingScale)
}

function sharedInputs(
  config: LlamaConfig,
  { rope, window }: LayerKind,
  {
    stateRows,
    pastLength,
    anyPast,
    rows,
    batch,
  }: Sequences & { stateRows: number; pastLength: Value; anyPast: Value },
): Shared {
  const { headDim, heads, kvHeads } = config
  const g = pastLength.graph
  const rotary =
    rope &&
    g.once(`rotary ${JSON.stringify(rope)}`, () =>
      rotaryPositions(pastLength, rows, {
        dims: [stateRows, rope.width / 2],
        table: (kind) => ropeTable(kind, rope, stateRows),
        width: rope.width === headDim ? undefined : rope.width,
      }),
    )
  // A window that is as long as the state hides nothing.
  const sees = { groups: heads / kvHeads, window: window !== null && window < stateRows ? window : null }
  const sight = g.once(`sight within ${sees.window}`, () => sightOf(pastLength, rows, anyPast, sees))
  return { config, batch, rotary, sight }
}

function attention(x: Value, shared: Shared, keys: KeptRows, values: KeptRows): Value {
  const { config, sight } = shared
  const { heads, kvHeads, headDim: width, attentionScale: scale, attentionCap: cap } = config
  const [q, k, v] = projections(x, shared)
  const mixed = cachedAttention(q, k, v, { keys, values, sight, heads, kvHeads, width, scale, cap })
  return linear(fromHeads(mixed, { heads, width }), 'o_proj')
}

/** Rotated queries [B, heads, S, headDim] and keys, and values [B, kvHeads, S, headDim]. */
function projections(x: Value, { config, batch, rotary }: Shared): [Value, Value, Value] {
  const { heads, kvHeads, headDim, headNorms, epsilon, fused } = config
  const g = x.graph
  const names = fused ? ['qkv_proj'] : ['q_proj', 'k_proj', 'v_proj']
  const stacked = linear(x, ...names) // [B·S, (heads + 2 kvHeads) · headDim]
  const all = toHeads(stacked, { heads: heads + 2 * kvHeads, width: headDim, batch })
  const rotate = (rows: Value, count: number) => (rotary ? rotated(rows, rotary, count) : rows)
  if (!headNorms) {
    const [qk, v] = split(all, [heads + kvHeads, kvHeads], 1)
    const [q, k] = split(rotate(qk!, heads + kvHeads), [heads, kvHeads], 1)
    return [q!, k!, v!]
  }
  const [q, k, v] = split(all, [heads, kvHeads, kvHeads], 1)
  const norm = (rows: Value, name: string) => rmsNorm(rows, g.weight(`${name}.weight`), epsilon)
  return [rotate(norm(q!, 'q_norm'), heads), rotate(norm(k!, 'k_norm'), kvHeads), v!]
}

function feedForward(x: Value, { intermediate, fused, activation }: LlamaConfig): Value {
  const names = fused ? ['gate_up_proj'] : ['gate_proj', 'up_proj']
  const [gate, up] = split(linear(x, ...names), [intermediate, intermediate], 1)
  const active = activation === 'silu' ? silu(gate!) : gelu(gate!, 'tanh')
  return linear(mul(active, up!), 'down_proj')
}

/** x [wanted, hidden] → [wanted, vocabulary]. */
function logits(x: Value, config: LlamaConfig): Value {
  const g = x.graph
  const tied = config.tied ?? !g.hasWeight('lm_head.weight')
  const scores = tied ? g.scope('model', () => tableProduct(x, 'embed_tokens')) : outputProduct(x, 'lm_head')
  const { logitCap } = config
  return logitCap === null ? scores : softCapped(g.cast(scores, 'float32'), logitCap)
}
