/**
 * The decoder of the Llama family as one graph for prefill and decoding: S new rows behind those of the state.
 * Every layer: x += attention(norm(x)); x += down(act(gate(norm(x))) · up(norm(x))); Gemma has a norm around each branch.
 */
import { toHeads } from '../../graph/attention.js'
import {
  apart,
  attendsToPrompts,
  cachedAttention,
  promptAttention,
  type Seen,
} from '../../graph/cached-attention.js'
import { Graph, type GraphOptions, type Value } from '../../graph/graph.js'
import { type KeptRows, keptRows, type Sight, sightOf } from '../../graph/kept-rows.js'
import { linear } from '../../graph/linear.js'
import { gather, gelu, greater, mul, reshape, split, squeeze } from '../../graph/ops.js'
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
  /** Of all new rows, or, with `prompt`, of one of each sequence. */
  sight: Sight
  /** How several rows, of one sequence then, are attended to where that has a form of its own: on ONNX Runtime. */
  prompt: {
    /** bool []: whether they are several. */
    several: Value
    pastLength: Value
    newRows: Value
    window: number | null
    rotary: RotaryPositions | null
  } | null
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
  if (g.target === 'tensorrt' || !attendsToPrompts(headDim)) {
    const sight = g.once(`sight within ${sees.window}`, () => sightOf(pastLength, rows, anyPast, sees))
    return { config, batch, rotary, sight, prompt: null }
  }
  const one = g.constant('int64', [1], [1])
  const sight = g.once(`sight within ${sees.window}`, () =>
    sightOf(pastLength, one, anyPast, { ...sees, groups: 1 }),
  )
  const several = g.memo(rows, 'several', () => greater(squeeze(rows, [0]), g.scalar('int64', 1)))
  const prompt = { several, pastLength, newRows: rows, window: sees.window, rotary }
  return { config, batch, rotary, sight, prompt }
}

function attention(x: Value, shared: Shared, keys: KeptRows, values: KeptRows): Value {
  const { config, sight, prompt } = shared
  const { heads, kvHeads, headDim: width, attentionScale: scale, attentionCap: cap, fused } = config
  const names = fused ? ['qkv_proj'] : ['q_proj', 'k_proj', 'v_proj']
  const stacked = linear(x, ...names) // [B·S, (heads + 2 kvHeads) · width]
  const sizes = { heads, kvHeads, width, scale, cap, keys: keys.past, values: values.past }
  const step = (rows?: 1) => cachedAttention(...inHeads(stacked, shared, rows), { ...sizes, sight, rows })
  const seen = prompt
    ? eitherSeen(
        prompt.several,
        () => promptAttention(asRows(stacked, config), { ...sizes, ...prompt }),
        () => step(1),
      )
    : step()
  keys.keep(seen.keys)
  values.keep(seen.values)
  return linear(seen.mixed, 'o_proj')
}

function eitherSeen(condition: Value, yes: () => Seen, no: () => Seen): Seen {
  const list = (seen: Seen) => [seen.mixed, seen.keys, seen.values]
  const [mixed, keys, values] = condition.graph.either(
    condition,
    () => list(yes()),
    () => list(no()),
  )
  return { mixed: mixed!, keys: keys!, values: values! }
}

/** Rotated queries [B, heads, S, headDim] and keys, and values [B, kvHeads, S, headDim]. */
function inHeads(stacked: Value, { config, batch, rotary }: Shared, rows?: 1): [Value, Value, Value] {
  const { heads, kvHeads, headDim, headNorms } = config
  const all = toHeads(stacked, { heads: heads + 2 * kvHeads, width: headDim, batch, rows })
  const rotate = (rows: Value, count: number) => (rotary ? rotated(rows, rotary, count) : rows)
  if (!headNorms) {
    const [qk, v] = split(all, [heads + kvHeads, kvHeads], 1)
    const [q, k] = split(rotate(qk!, heads + kvHeads), [heads, kvHeads], 1)
    return [q!, k!, v!]
  }
  const [q, k, v] = split(all, [heads, kvHeads, kvHeads], 1)
  return [rotate(headNorm(q!, 'q_norm', config), heads), rotate(headNorm(k!, 'k_norm', config), kvHeads), v!]
}

/** The same as rows, in one where nothing is to be done to them, and before rotation. */
function asRows(stacked: Value, config: LlamaConfig): [Value] | [Value, Value, Value] {
  const { heads, kvHeads, headDim: width, headNorms } = config
  if (!headNorms) return [stacked]
  const [q, k, v] = apart(stacked, { heads, kvHeads, width })
  const normed = (rows: Value, name: string, count: number) =>
    reshape(headNorm(reshape(rows, [-1, width]), name, config), [-1, count * width])
  return [normed(q, 'q_norm', heads), normed(k, 'k_norm', kvHeads), v]
}

const headNorm = (heads: Value, name: string, { epsilon }: LlamaConfig): Value =>
  rmsNorm(heads, heads.graph.weight(`${name}.weight`), epsilon)

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
