/**
 * Linear layers on TensorRT whose weights are short numbers and whose activations are not: DequantizeLinear before
 * MatMul, which the builder makes one kernel of.
 * - `int8`, `fp8`: one scale per output.
 * - `int4`: one per block of inputs. A minimum per block (Q4_1, w = d·q + m), or a zero point, is a product of its own,
 *   of the block's sum of x with m + 8d.
 */
import type { Value, Weight } from './graph.js'
import type { DType } from './onnx.js'
import { add, dequantizeLinear, matMul, reduceSum, reshape } from './ops.js'
import { forUses } from './packing.js'
import {
  float8Columns,
  int4BlockSize,
  int4Blocks,
  int4HasOffset,
  int8Columns,
  type ShortColumns,
} from './short-weights.js'

export interface Layer {
  x: Value
  weights: readonly Weight[]
  /** Of the stacked weights [N, K]; under one name constants are made once. */
  name: string
  K: number
  N: number
}

export const int8Product = (layer: Layer): Value => columnsProduct(layer, 'int8', int8Columns)

export const float8Product = (layer: Layer): Value => columnsProduct(layer, 'float8e4m3fn', float8Columns)

function columnsProduct(
  { x, weights, name, K, N }: Layer,
  dtype: DType,
  pack: (weights: readonly Weight[], N: number, K: number) => ShortColumns,
): Value {
  const g = x.graph
  const w = g.once(`${dtype} ${name}`, () => {
    const packed = forUses(2, () => pack(weights, N, K))
    const q = g.initializer(`${name}.q`, dtype, [K, N], () => packed().values)
    return dequantizeLinear(
      q,
      g.initializer(`${name}.scale`, g.float, [N], () => packed().scale),
      { axis: 1 },
    )
  })
  return matMul(x, w)
}

/** Null where two outputs do not share every byte. */
export function int4Product({ x, weights, name, K, N }: Layer): Value | null {
  const g = x.graph
  if (N % 2 !== 0) return null
  const block = int4BlockSize(weights)
  const blocks = K / block
  const { w, offset } = g.once(`int4 ${name}`, () => {
    const hasOffset = int4HasOffset(weights)
    const packed = forUses(hasOffset ? 3 : 2, () => int4Blocks(weights, N, K, block))
    const perBlock = (part: string, data: () => Float32Array) =>
      g.initializer(`${name}.${part}`, g.float, [blocks, N], data)
    const q = g.initializer(`${name}.q`, 'int4', [K, N], () => packed().values)
    return {
      w: dequantizeLinear(
        q,
        perBlock('scale', () => packed().scale),
        { axis: 0, block },
      ),
      offset: hasOffset ? perBlock('offset', () => packed().offset!) : null,
    }
  })
  const product = matMul(x, w)
  if (!offset) return product
  const blockSums = g.memo(x, `sums of ${block}`, () =>
    reduceSum(reshape(x, [-1, blocks, block]), [2], false),
  )
  return add(product, matMul(blockSums, offset))
}
