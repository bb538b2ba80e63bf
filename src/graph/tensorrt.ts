/**
 * TensorRT's own operators, for the blocks that lower to them. The parser knows them by their names, in any domain:
 * https://github.com/onnx/onnx-tensorrt/blob/main/docs/TRT_custom_ops.md
 */
import type { Value } from './graph.js'

const domain = 'trt'

/**
 * `cache` [B, h, rows, d] with `update` [B, h, S, d] written from row `index` [B] on. The cache must be an input of the
 * graph with a fixed number of rows, and the result an output, bound at one address. Rows beyond the end are dropped
 * without a word: the caller counts.
 */
export const kvCacheUpdate = (cache: Value, update: Value, index: Value): Value =>
  cache.graph.op('TRT_KVCacheUpdate', [cache, update, index], {}, { domain })

/**
 * softmax(q·kᵀ) · v of q [B, h, S, d], which is scaled already, and k and v [B, kvHeads, T, d].
 * @param options.lengths int32 [B]: rows of k and v that count
 * @param options.causal the last row of q sees all rows that count, each one before it one row less
 * @param options.mask bool [B, 1, S, T], instead of that: whether a row of q sees a row
 */
export function attention(
  q: Value,
  k: Value,
  v: Value,
  { causal = false, lengths, mask }: { causal?: boolean; lengths?: Value; mask?: Value } = {},
): Value {
  const inputs = lengths ? [q, k, v, mask ?? null, null, lengths] : mask ? [q, k, v, mask] : [q, k, v]
  const attributes = {
    causal_kind: causal ? 'lower_right' : 'none',
    // There is no fused kernel for float32.
    TRT_decomposable: q.dtype === 'float32' ? 1 : 0,
  }
  return q.graph.op('TRT_Attention', inputs, attributes, { domain })
}
