/**
 * ONNX Runtime's own operators, for the blocks that lower to them:
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import type { Value } from './graph.js'
import type { DType } from './onnx.js'

const domain = 'com.microsoft'

/** x / √(mean(x²) + epsilon) · scale over the last axis (RMSNorm). */
export const simplifiedLayerNormalization = (x: Value, scale: Value, epsilon: number): Value =>
  x.graph.op('SimplifiedLayerNormalization', [x, scale], {
    axis: -1,
    epsilon: { float: epsilon },
    stash_type: 1,
  })
/** The same, and what x was multiplied by before the scale: 1 / √(mean(x²) + epsilon), [..., 1]. */
export const simplifiedLayerNormalizationAndFactor = (
  x: Value,
  scale: Value,
  epsilon: number,
): [Value, Value] => {
  const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 }
  const [y, factor] = x.graph.ops(
    'SimplifiedLayerNormalization',
    [x, scale],
    [x.dtype, 'float32'],
    attributes,
  )
  return [y!, factor!]
}
/** RMSNorm of x + skip: [normalised, x + skip]. */
export const skipSimplifiedLayerNormalization = (
  x: Value,
  skip: Value,
  scale: Value,
  epsilon: number,
): [Value, Value] => {
  const [y, , , sum] = x.graph.ops(
    'SkipSimplifiedLayerNormalization',
    [x, skip, scale],
    [x.dtype, null, null, x.dtype],
    { epsilon: { float: epsilon } },
    domain,
  )
  return [y!, sum!]
}
/**
 * x [B, S, heads·d] (or [B, heads, S, d]), positions int64 [B, S], cos and sin [maxPositions, width/2]; of the first
 * `width` numbers of each head (all of them if absent) halves rotated.
 */
export const rotaryEmbedding = (
  x: Value,
  positions: Value,
  cos: Value,
  sin: Value,
  { heads, width }: { heads: number; width?: number | undefined },
): Value =>
  x.graph.op(
    'RotaryEmbedding',
    [x, positions, cos, sin],
    { num_heads: heads, interleaved: 0, rotary_embedding_dim: width },
    { domain },
  )
/** alpha · a · b, either transposed in its last two axes. */
export const fusedMatMul = (
  a: Value,
  b: Value,
  { alpha = 1, transA = false, transB = false }: { alpha?: number; transA?: boolean; transB?: boolean } = {},
): Value =>
  a.graph.op(
    'FusedMatMul',
    [a, b],
    { alpha: { float: alpha }, transA: transA ? 1 : 0, transB: transB ? 1 : 0 },
    { domain },
  )
/** Plain attention without cache: q [B, S, h·d], k and v [B, T, h·d] (or [B, h, T, d]) → [B, S, h·d]; scale d^-½. */
export const multiHeadAttention = (q: Value, k: Value, v: Value, heads: number): Value =>
  q.graph.op('MultiHeadAttention', [q, k, v], { num_heads: heads }, { domain })
/** x · sigmoid(alpha · x): SiLU with alpha 1. */
export const quickGelu = (x: Value, alpha: number): Value =>
  x.graph.op('QuickGelu', [x], { alpha: { float: alpha } }, { domain })
/**
 * x [M, K] · dequantised(q)ᵀ. q uint8 [N, K/block, block·bits/8], scales [N · K/block]; the zero point is 2^(bits-1),
 * or that of `zeros`: uint8 [N · ⌈K/block · bits/8⌉], packed as q is. accuracyLevel 0 computes in float32, 4 quantises
 * x to int8 per block.
 */
export const matMulNBits = (
  x: Value,
  q: Value,
  scales: Value,
  o: { K: number; N: number; bits: 4 | 8; block: number; accuracyLevel: 0 | 4; zeros?: Value | null },
): Value =>
  x.graph.op(
    'MatMulNBits',
    o.zeros ? [x, q, scales, o.zeros] : [x, q, scales],
    { K: o.K, N: o.N, bits: o.bits, block_size: o.block, accuracy_level: o.accuracyLevel },
    { domain },
  )
/** (a − aZero) · b (int8 [K, N]) · aScale · bScale[N] as float32. */
export const matMulIntegerToFloat = (a: Value, b: Value, aScale: Value, bScale: Value, aZero: Value): Value =>
  a.graph.op('MatMulIntegerToFloat', [a, b, aScale, bScale, aZero], {}, { domain, dtype: 'float32' })
/** round(x / scale) + zero as the zero point's type. */
export const quantizeLinear = (x: Value, scale: Value, zero: Value): Value =>
  x.graph.op('QuantizeLinear', [x, scale, zero], {}, { dtype: zero.dtype as DType })
/**
 * Causal attention of one sequence with its state, copied: q [1, S, h·d], or q, k and v in one [1, S, (h + 2 kvHeads)·d].
 * past.keys and past.values [1, kvHeads, capacity, d]; lastRow int32 [1] and rows int32 []: the place of the last new row
 * behind those kept, and how many there are in all.
 * @returns [1, S, h·d], and all keys and values with the new ones in their places, [1, kvHeads, at least rows, d]
 */
export function groupQueryAttention(
  q: Value,
  others: { k: Value; v: Value } | null,
  o: {
    heads: number
    kvHeads: number
    past: { keys: Value; values: Value }
    lastRow: Value
    rows: Value
    scale?: number
    cap?: number | null
    window: number | null
    rotary: { cos: Value; sin: Value } | null
  },
): { mixed: Value; allKeys: Value; allValues: Value } {
  const inputs = [q, others?.k ?? null, others?.v ?? null, o.past.keys, o.past.values, o.lastRow, o.rows]
  const [mixed, allKeys, allValues] = q.graph.ops(
    'GroupQueryAttention',
    o.rotary ? [...inputs, o.rotary.cos, o.rotary.sin] : inputs,
    [q.dtype, q.dtype, q.dtype],
    {
      num_heads: o.heads,
      kv_num_heads: o.kvHeads,
      do_rotary: o.rotary ? 1 : 0,
      local_window_size: o.window ?? undefined,
      scale: o.scale === undefined ? undefined : { float: o.scale },
      softcap: o.cap === undefined || o.cap === null ? undefined : { float: o.cap },
    },
    domain,
  )
  return { mixed: mixed!, allKeys: allKeys!, allValues: allValues! }
}
