/**
 * Attention, softmax(q·kᵀ / √d) · v, in the forms that the runtimes run fast, for rows that are all there.
 * Letters: B sequences, S new rows of each, h heads of width d, of which h / kvHeads share a key/value head.
 */
import { multiHeadAttention } from './contrib.js'
import type { Value } from './graph.js'
import { concat, matMul, mul, reshape, softmax, transpose, unsqueeze } from './ops.js'
import { attention } from './tensorrt.js'

export interface HeadSizes {
  readonly heads: number
  readonly width: number
  /** int64 [1]: the number of sequences, where there may be several; one if absent. */
  readonly batch?: Value | undefined
  /** S, where it is known when the graph is built: the engine's kernels then are for this very length, or spared. */
  readonly rows?: number
}

/** Rows [B·S, h·d] → [B, h, S, d]. */
export function toHeads(x: Value, { heads, width, batch, rows }: HeadSizes): Value {
  const g = x.graph
  if (rows === 1) return reshape(x, [-1, heads, 1, width])
  if (rows) return transpose(reshape(x, [-1, rows, heads, width]), [0, 2, 1, 3])
  const rest = [-1, heads, width]
  const shape = batch
    ? g.memo(batch, `with ${rest}`, () => concat([batch, g.constant('int64', [3], rest)], 0))
    : [1, ...rest]
  return transpose(reshape(x, shape), [0, 2, 1, 3])
}

/** [B, h, S, d] → rows [B·S, h·d]. */
export const fromHeads = (x: Value, { heads, width, rows }: HeadSizes): Value =>
  reshape(rows === 1 ? x : transpose(x, [0, 2, 1, 3]), [-1, heads * width])

/** Every row of q [B·S, h·d] to every row of k and v [B·T, h·d] of its sequence: → [B·S, h·d]. */
export function selfAttention(q: Value, k: Value, v: Value, sizes: HeadSizes): Value {
  if (q.graph.target === 'tensorrt') return crossAttention(q, toHeads(k, sizes), toHeads(v, sizes), sizes)
  const mixed = multiHeadAttention(unsqueeze(q, [0]), unsqueeze(k, [0]), unsqueeze(v, [0]), sizes.heads)
  return reshape(mixed, [-1, sizes.heads * sizes.width])
}

/** The same for k and v that lie in heads already: [B, h, T, d]. */
export function crossAttention(q: Value, k: Value, v: Value, sizes: HeadSizes): Value {
  const { heads, width } = sizes
  if (q.graph.target === 'onnxruntime')
    return reshape(multiHeadAttention(unsqueeze(q, [0]), k, v, heads), [-1, heads * width])
  const scaled = mul(toHeads(q, sizes), width ** -0.5)
  return fromHeads(q.dtype === 'float32' ? plainAttention(scaled, k, v) : attention(scaled, k, v), sizes)
}

/**
 * Written out, for float32 on TensorRT: there is no fused kernel to lose, and the builder of TensorRT-RTX crashes when
 * one graph has a decomposed attention and an LSTM.
 */
const plainAttention = (q: Value, k: Value, v: Value): Value =>
  matMul(softmax(matMul(q, transpose(k, [0, 1, 3, 2]))), v)
