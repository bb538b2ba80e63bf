/**
 * Linear layers over rows: x [M, K] · Wᵀ + b, W [N, K] as the checkpoint has it.
 *
 * Forms, for weights that the checkpoint stores quantised (measurements: docs/cpu-forms.md):
 * - `float32`: the dequantised matrix. Exact; four bytes a weight.
 * - `int8-blocks`: MatMulNBits, activations quantised to int8 per block. Blocks of the checkpoint are used as they are,
 *   those of 5 and 6 bits in bytes. Zero points are whole numbers and part of it; a minimum (w = d·q + m) enters
 *   through the block sums of x, because without zero points MatMulNBits subtracts half of the range, 8 of 4 bits:
 *   x·W = Σ d·(q − 8)·x + Σ_blocks (m + 8d)·Σx. Exact up to the activations.
 * - `int8-bytes`: the same with all weights as bytes, widened so that minima are part of them.
 * - `int8-digits`: activations as two signed digits of base 126, so that two int8 products carry 14 bits. Rows and
 *   sequences do not influence each other. Weights become int8 per row (exact where the checkpoint has them so).
 * Stacked weights of different storages are several products side by side.
 *
 * On TensorRT, for all weights: `float32` is the graph's float type, and `int8`, `int4`, `fp8` are in weight-only.ts.
 */
import { transposed } from '../weight-numbers.js'
import {
  matMulIntegerToFloat,
  matMulNBits,
  quantizeLinear,
  simplifiedLayerNormalizationAndFactor,
} from './contrib.js'
import type { Graph, LinearForm, Value, Weight } from './graph.js'
import { add, concat, dequantizeLinear, div, matMul, reduceSum, reshape, sub } from './ops.js'
import { type BlockForm, blockForm, byteRows, forUses, joined, packedBlocks } from './packing.js'
import { int4Kind } from './short-weights.js'
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
export function multiply(
  x: Value,
  weights: readonly Weight[],
  name: string,
  form: LinearForm = x.graph.linear,
): Value {
  const kernels = weights.map((weight) => kernelOf(x.graph, weight, form))
  const starts = kernels.flatMap(({ key }, i) => (i > 0 && key === kernels[i - 1]!.key ? [] : [i]))
  const products = starts.map((start, run) => {
    const alike = weights.slice(start, starts[run + 1])
    const N = sum(alike.map((weight) => weight.dims[0]!))
    const part = starts.length === 1 ? name : `${name}/${run}`
    return kernels[start]!.product({ x, weights: alike, name: part, K: weights[0]!.dims[1]!, N })
  })
  return products.length === 1 ? products[0]! : concat(products, 1)
}

/** How a weight is multiplied. Neighbours in a stack with the same key are one product. */
interface Kernel {
  readonly key: string
  product(layer: Layer): Value
}

function kernelOf({ target }: Graph, weight: Weight, linear: LinearForm): Kernel {
  if (target === 'tensorrt') return tensorrtKernel(weight, linear)
  const form = linear === 'float32' ? null : blockForm(weight, linear === 'int8-blocks')
  if (!form) return { key: 'float', product: floatProduct }
  if (linear === 'int8-digits') return { key: 'digits', product: digitsProduct }
  const key = `${form.bits} bits ${form.offset}`
  return { key, product: (layer) => blocksProduct(layer, commonForm(form, layer.weights)) }
}

function tensorrtKernel(weight: Weight, linear: LinearForm): Kernel {
  const kind = linear === 'int4' ? int4Kind(weight) : linear
  switch (kind) {
    case 'int8':
      return { key: kind, product: int8Product }
    case 'fp8':
      return { key: kind, product: float8Product }
    case 'stored':
    case 'rounded':
      return { key: kind, product: (layer) => int4Product(layer) ?? floatProduct(layer) }
    default:
      return { key: 'float', product: floatProduct }
  }
}

/** The form with blocks that all the weights' are multiples of. */
function commonForm(form: BlockForm, weights: readonly Weight[]): BlockForm {
  const sizes = weights.map((weight) => blockForm(weight, true)!.block)
  return { ...form, block: sizes.reduce((least, size) => (size < least ? size : least)) }
}

function floatProduct({ x, weights, name, K, N }: Layer): Value {
  const w = x.graph.once(`columns ${name} ${x.graph.float}`, () =>
    x.graph.initializer(name, x.graph.float, [K, N], () =>
      transposed(joined(weights.map((weight) => weight.floats())), N, K),
    ),
  )
  return matMul(x, w)
}

/** x [M, K] · (stacked weights in blocks)ᵀ → [M, N]. */
export function blocksProduct(layer: Layer, form: BlockForm): Value {
  const { x, K, N } = layer
  const { bits, block } = form
  const blocks = K / block
  const { q, scale, correction, zeros } = blockConstants(x.graph, layer, form)
  const product = matMulNBits(x, q, scale, { K, N, bits, block, accuracyLevel: 4, zeros })
  if (!correction) return product
  const blockSums = x.graph.memo(x, `sums of ${block}`, () =>
    reduceSum(reshape(x, [-1, blocks, block]), [2], false),
  )
  return add(product, matMul(blockSums, correction))
}

/**
 * uint8 [N, blocks, block · bits / 8]; float32 [N · blocks], [blocks, N]; uint8 zero points, rows packed as the
 * first.
 */
export function blockConstants(g: Graph, { weights, name, K, N }: Omit<Layer, 'x'>, form: BlockForm) {
  const { bits, block, offset } = form
  const blocks = K / block
  return g.once(`${bits} bits ${block} ${offset} ${name}`, () => {
    const packed = forUses(offset === 'none' ? 2 : 3, () => packedBlocks(weights, form))
    const dims = [N, blocks, (block * bits) / 8]
    const zeros = [N * Math.ceil((blocks * bits) / 8)]
    return {
      q: g.initializer(`${name}.q`, 'uint8', dims, () => packed().values),
      scale: g.initializer(`${name}.scale`, 'float32', [N * blocks], () => packed().scale),
      correction:
        offset === 'correction'
          ? g.initializer(`${name}.min`, 'float32', [blocks, N], () =>
              transposed(packed().correction!, N, blocks),
            )
          : null,
      zeros: offset === 'zero' ? g.initializer(`${name}.zeros`, 'uint8', zeros, () => packed().zeros!) : null,
    }
  })
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
  const { digits, places } = g.memo(x, 'digits', () => digitsOf(x, K))
  const product = matMulIntegerToFloat(digits, w, g.scalar('float32', 1), wScale, g.scalar('uint8', HALF + 1))
  return reshape(matMul(places, product), [-1, N])
}

/**
 * Rows [M, K] as digits, uint8 [M, 2, K] around HALF + 1, and what the two are worth in each row, [M, 1, 2]. No number of a
 * row is larger than √K times its root mean square, so that a norm brings all between ±HALF.
 */
function digitsOf(x: Value, K: number): { digits: Value; places: Value } {
  const g = x.graph
  const most = HALF / Math.sqrt(K)
  const scale = g.once(`digits ${K}`, () =>
    g.initializer(`digits.${K}`, 'float32', [K], () => new Float32Array(K).fill(most)),
  )
  const [scaled, factor] = simplifiedLayerNormalizationAndFactor(reshape(x, [-1, 1, K]), scale, 1e-20)
  const [one, zero] = [g.scalar('float32', 1), g.scalar('uint8', HALF + 1)]
  const high = quantizeLinear(scaled, one, zero)
  const rest = sub(scaled, dequantizeLinear(high, one, { zero }))
  const low = quantizeLinear(rest, g.scalar('float32', 1 / (2 * HALF)), zero)
  const worth = g.constant('float32', [1, 1, 2], [1 / most, 1 / (2 * HALF * most)])
  return {
    digits: concat([high, low], 1),
    places: div(worth, factor),
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
