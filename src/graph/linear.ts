/**
 * Linear layers over rows: x [M, K] · Wᵀ + b, W [N, K] as the checkpoint has it.
 *
 * Forms, for weights that the checkpoint stores quantised (measurements: docs/cpu-forms.md):
 * - `float32`: the dequantised matrix. Exact; four bytes a weight.
 * - `int8-blocks`: MatMulNBits, activations quantised to int8 per block of 32. Blocks of the checkpoint are used as
 *   they are; the minimum of Q4_1 (w = d·q + m) enters through the block sums of x, because MatMulNBits subtracts a
 *   fixed zero point 8: x·W = Σ d·(q − 8)·x + Σ_blocks (m + 8d)·Σx. Exact up to the activations.
 * - `int8-bytes`: the same with all weights as bytes; Q4_1 widened so that the minimum is part of them.
 * - `int8-digits`: activations as two signed digits of base 126, so that two int8 products carry 14 bits. Rows and
 *   sequences do not influence each other. Weights become int8 per row (exact where the checkpoint has them so).
 *
 * On TensorRT, for all weights: `float32` is the graph's float type, and `int8`, `int4`, `fp8` are in weight-only.ts.
 */
import { matMulIntegerToFloat, matMulNBits, quantizeLinear } from './contrib.js'
import type { Graph, Value, Weight } from './graph.js'
import {
  abs,
  add,
  cast,
  concat,
  div,
  gather,
  gemm,
  matMul,
  max,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  round,
  slice,
  sub,
} from './ops.js'
import { BLOCK, byteBlocks, byteRows, forUses, joined, nibbleBlocks, transposed } from './packing.js'
import { float8Product, int4Product, int8Product, type Layer } from './weight-only.js'

/**
 * Several layers that share their input are one multiplication: their rows are stacked in the order of `names`.
 * Each name is a scope with `weight` [n, K] and, perhaps, `bias` [n]. Used twice, its constants are stored once.
 * @returns [M, Σn]
 */
export function linear(x: Value, ...names: string[]): Value {
  const g = x.graph
  const weights = names.map((name) => g.tensor(`${name}.weight`))
  const stacked = g.at(names.join('+'))
  const product = multiply(x, weights, `${stacked}.weight`)
  if (!names.some((name) => g.hasWeight(`${name}.bias`))) return product
  const biases = names.map((name) => (g.hasWeight(`${name}.bias`) ? g.tensor(`${name}.bias`) : null))
  const rows = weights.map((weight) => weight.dims[0]!)
  const bias = g.once(`biases ${stacked} ${g.float}`, () =>
    g.initializer(`${stacked}.bias`, g.float, [sum(rows)], () =>
      joined(biases.map((tensor, i) => tensor?.floats() ?? new Float32Array(rows[i]!))),
    ),
  )
  return add(product, bias)
}

/** x [M, K] · (stacked weights [N, K])ᵀ → [M, N], in the graph's form. Of one `name`, constants are made once. */
export function multiply(x: Value, weights: readonly Weight[], name: string): Value {
  const layer = {
    x,
    weights,
    name,
    K: weights[0]!.dims[1]!,
    N: sum(weights.map((weight) => weight.dims[0]!)),
  }
  if (x.graph.target === 'tensorrt') return tensorrtProduct(layer)
  if (!isQuantised(x.graph, weights)) return floatProduct(layer)
  if (x.graph.linear === 'int8-digits') return digitsProduct(layer)
  const stored4 = weights.every((weight) => weight.storage === 'Q4_1')
  return x.graph.linear === 'int8-blocks' && stored4 ? nibblesProduct(layer) : bytesProduct(layer)
}

function tensorrtProduct(layer: Layer): Value {
  switch (layer.x.graph.linear) {
    case 'int8':
      return int8Product(layer)
    case 'fp8':
      return float8Product(layer)
    case 'int4':
      return int4Product(layer) ?? floatProduct(layer)
    default:
      return floatProduct(layer)
  }
}

/**
 * The rows `ids` int64 [M] of the scope's table `<name>.weight` [V, K] → [M, K]. In ONNX Runtime's int8 forms the table
 * is bytes in blocks; on TensorRT it is floats always. {@link tableProduct} uses the same constants.
 */
export function embedding(g: Graph, name: string, ids: Value): Value {
  const table = g.tensor(`${name}.weight`)
  if (g.target === 'tensorrt') return gather(tableOf(g, `${name}.weight`), ids)
  if (!isQuantised(g, [table])) return gather(g.weight(`${name}.weight`), ids)
  const [V, K] = table.dims as [number, number]
  const { q, scale } = byteTable(g, [table], g.at(`${name}.weight`), V, K)
  const numbers = sub(cast(gather(q, ids), 'float32'), 128) // [M, K / 32, 32]
  const scales = gather(reshape(scale, [V, K / BLOCK, 1]), ids)
  return reshape(mul(numbers, scales), [-1, K])
}

/** x [M, K] times the scope's table of {@link embedding}, as the output matrix that is tied to it: → [M, V]. */
export function tableProduct(x: Value, name: string): Value {
  const g = x.graph
  const table = `${name}.weight`
  if (g.target === 'tensorrt') {
    const product = gemm(x, tableOf(g, table), null, { transB: true })
    const [V] = g.tensor(table).dims as [number]
    return V % TABLE_ROWS === 0 ? product : slice(product, 1, 0, V)
  }
  return multiply(x, [g.tensor(table)], g.at(table))
}

/** TensorRT stores a matrix of an output once more if its rows are no multiple of this, even where others share it. */
const TABLE_ROWS = 8

/** The table `name` [V, K] in the graph's float type, with rows of zeros up to the next multiple of {@link TABLE_ROWS}. */
function tableOf(g: Graph, name: string): Value {
  const tensor = g.tensor(name)
  const [V, K] = tensor.dims as [number, number]
  if (V % TABLE_ROWS === 0) return g.weight(name)
  const rows = Math.ceil(V / TABLE_ROWS) * TABLE_ROWS
  return g.once(`table ${g.at(name)} ${g.float}`, () =>
    g.initializer(g.at(name), g.float, [rows, K], () => {
      const padded = new Float32Array(rows * K)
      padded.set(tensor.floats())
      return padded
    }),
  )
}

/** Whether the weights have int8 forms and the graph wants them. */
function isQuantised(g: Graph, weights: readonly Weight[]): boolean {
  return (
    g.linear !== 'float32' &&
    weights.every(({ storage, dims }) => /^(I8|Q4_1|Q8_0)$/.test(storage) && dims[1]! % BLOCK === 0)
  )
}

function floatProduct({ x, weights, name, K, N }: Layer): Value {
  const w = x.graph.once(`columns ${name} ${x.graph.float}`, () =>
    x.graph.initializer(name, x.graph.float, [K, N], () =>
      transposed(joined(weights.map((weight) => weight.floats())), N, K),
    ),
  )
  return matMul(x, w)
}

function bytesProduct({ x, weights, name, K, N }: Layer): Value {
  const { q, scale } = byteTable(x.graph, weights, name, N, K)
  return matMulNBits(x, q, scale, { K, N, bits: 8, block: BLOCK, accuracyLevel: 4 })
}

/** uint8 [N, K / 32, 32] with zero point 128, and float32 [N · K / 32]. */
function byteTable(g: Graph, weights: readonly Weight[], name: string, N: number, K: number) {
  return g.once(`bytes ${name}`, () => {
    const packed = forUses(2, () => byteBlocks(weights))
    return {
      q: g.initializer(`${name}.q`, 'uint8', [N, K / BLOCK, BLOCK], () => packed().values),
      scale: g.initializer(`${name}.scale`, 'float32', [(N * K) / BLOCK], () => packed().scale),
    }
  })
}

function nibblesProduct({ x, weights, name, K, N }: Layer): Value {
  const g = x.graph
  const blocks = K / BLOCK
  const { q, scale, correction } = g.once(`nibbles ${name}`, () => {
    const packed = forUses(3, () => nibbleBlocks(weights))
    return {
      q: g.initializer(`${name}.q`, 'uint8', [N, blocks, BLOCK / 2], () => packed().values),
      scale: g.initializer(`${name}.scale`, 'float32', [N * blocks], () => packed().scale),
      correction: g.initializer(`${name}.min`, 'float32', [blocks, N], () => {
        const { scale, min } = packed()
        return transposed(
          min.map((m, i) => m + 8 * scale[i]!),
          N,
          blocks,
        )
      }),
    }
  })
  const product = matMulNBits(x, q, scale, { K, N, bits: 4, block: BLOCK, accuracyLevel: 4 })
  const blockSums = g.memo(x, 'block sums', () => reduceSum(reshape(x, [-1, blocks, BLOCK]), [2], false))
  return add(product, matMul(blockSums, correction))
}

/** Digits of ±63 keep the pair sums of AVX2's and AVX-512's `vpmaddubsw` below 32767. */
const HALF = 63

function digitsProduct({ x, weights, name, K, N }: Layer): Value {
  const g = x.graph
  const { w, wScale } = g.once(`rows ${name}`, () => {
    const packed = forUses(2, () => byteRows(weights))
    return {
      w: g.initializer(`${name}.q`, 'int8', [K, N], () => transposed(packed().values, N, K)),
      wScale: g.initializer(`${name}.scale`, 'float32', [N], () => packed().scale),
    }
  })
  const { digits, scale } = g.memo(x, 'digits', () => {
    const scale = div(max(reduceMax(abs(x), [-1]), 1e-12), HALF)
    const scaled = div(x, scale)
    const high = round(scaled)
    const low = mul(sub(scaled, high), 2 * HALF)
    const zero = g.scalar('uint8', HALF + 1)
    return { digits: quantizeLinear(concat([high, low], 0), g.scalar('float32', 1), zero), scale }
  })
  const product = matMulIntegerToFloat(digits, w, g.scalar('float32', 1), wScale, g.scalar('uint8', HALF + 1))
  const place = g.constant('float32', [1, 2], [1, 1 / (2 * HALF)])
  return mul(reshape(matMul(place, reshape(product, [2, -1])), [-1, N]), scale)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
