/**
 * Matrices [N, K] (N outputs, K inputs) in the short types that TensorRT multiplies float16 with, laid out as [K, N].
 * Scales are float16 numbers above zero. They are chosen so that rounding to float16 changes nothing, and no weight is
 * beyond the type's range; only those that the checkpoint stores (with bytes, or as products, as in Q4_K) are rounded,
 * a factor of at most 1 ± 2⁻¹¹.
 */
import { transposed } from '../weight-numbers.js'
import { joined, storedRows } from './packing.js'
import { blockLayout, type Weight } from './weight.js'

/** Numbers with one scale per output: w[n, k] = values[k, n] · scale[n]. */
export interface ShortColumns {
  readonly values: Int8Array
  readonly scale: Float32Array
}

/** The least float16 with all its bits of mantissa, and the least of all. */
const LEAST_NORMAL = 2 ** -14
const LEAST = 2 ** -24

/** int8: bytes as the checkpoint stores them, where it has one scale per output; anything else is rounded to ±127. */
export function int8Columns(weights: readonly Weight[], N: number, K: number): ShortColumns {
  const stored = weights.map(storedRows).filter((rows) => rows !== null)
  const scale = joined(stored.map((rows) => rows.scale))
  if (stored.length === weights.length && scale.every((step) => step >= LEAST_NORMAL))
    return { values: transposed(joined(stored.map(({ values }) => values)), N, K), scale }
  return columns(weights, N, K, 127, (steps, shorts, n) => {
    for (let k = 0; k < K; k++) shorts[k * N + n] = Math.round(steps[k]!)
  })
}

/** float8e4m3fn of ±448, as its bits. */
export function float8Columns(weights: readonly Weight[], N: number, K: number): ShortColumns {
  return columns(weights, N, K, 448, (steps, shorts, n) => {
    const bits = new Uint32Array(steps.buffer)
    for (let k = 0; k < K; k++) shorts[k * N + n] = float8Bits(bits[k]!)
  })
}

function columns(
  weights: readonly Weight[],
  N: number,
  K: number,
  most: number,
  write: (steps: Float32Array, shorts: Int8Array, n: number) => void,
): ShortColumns {
  const floats = joined(weights.map((weight) => weight.floats()))
  const values = new Int8Array(N * K)
  const scale = new Float32Array(N)
  const steps = new Float32Array(K)
  for (let n = 0; n < N; n++) {
    const step = scaleFor(peakOf(floats, n * K, (n + 1) * K), most)
    scale[n] = step
    for (let k = 0; k < K; k++) steps[k] = floats[n * K + k]! / step
    write(steps, values, n)
  }
  return { values, scale }
}

/** int4 in blocks of inputs: w[n, k] = values[k, n] · scale[b, n] + offset[b, n], b = ⌊k / block⌋. */
export interface Int4Blocks {
  /** −8 … 7, two in a byte, the first in its lower half. */
  readonly values: Uint8Array
  readonly scale: Float32Array
  /** Null: all zero. */
  readonly offset: Float32Array | null
}

/**
 * What becomes of a weight where four bits are asked for: `stored`, those that the checkpoint has; `rounded`, four of
 * its floats or bytes; `int8`, where it has five or six, which would lose most by rounding and were chosen for that;
 * null where rows are not whole blocks.
 */
export function int4Kind({ storage, dims }: Weight): 'stored' | 'rounded' | 'int8' | null {
  const bits = blockLayout(storage)?.bits
  if (bits === 4) return 'stored'
  if (bits === 5 || bits === 6) return 'int8'
  return dims[1]! % 32 === 0 ? 'rounded' : null
}

/**
 * The block size that {@link int4Blocks} makes of weights of one {@link int4Kind}: the smallest of those stored, or the
 * largest that divides the rows.
 */
export function int4BlockSize(weights: readonly Weight[]): number {
  const stored = weights.map(({ storage }) => blockLayout(storage))
  if (stored[0]?.bits === 4) return Math.min(...stored.map((layout) => layout!.blockSize))
  return weights[0]!.dims[1]! % 128 === 0 ? 128 : 32
}

/** Whether blocks of the weights may have an offset: scales below zero, in GGUF alone, are taken with one. */
export const int4HasOffset = (weights: readonly Weight[]): boolean =>
  weights.some(({ storage }) => {
    const layout = blockLayout(storage)
    return layout?.bits === 4 && (storage === 'Q4_0' || layout.offset !== 'none')
  })

/**
 * Weights of one {@link int4Kind}. Four bits that the checkpoint stores are kept, and so are their values, but for the
 * rounding of offsets to float16; anything else is rounded to ±7 steps of its block's largest.
 */
export function int4Blocks(weights: readonly Weight[], N: number, K: number, block: number): Int4Blocks {
  const blocks = K / block
  const values = new Uint8Array((N * K) / 2)
  const scale = new Float32Array(blocks * N)
  const offset = int4HasOffset(weights) ? new Float32Array(blocks * N) : null
  let row = 0
  for (const weight of weights) {
    const { q, steps, from, blockSize } =
      int4Kind(weight) === 'stored' ? storedNibbles(weight) : roundedNibbles(weight, block)
    const rows = weight.dims[0]!
    for (let r = 0; r < rows; r++) {
      const n = row + r
      for (let b = 0; b < blocks; b++) {
        const stored = (r * K + b * block) / blockSize
        scale[b * N + n] = steps[Math.floor(stored)]!
        if (offset && from) offset[b * N + n] = from[Math.floor(stored)]!
      }
      for (let k = 0; k < K; k++) {
        const at = k * N + n
        values[at >> 1]! |= (q[r * K + k]! & 15) << (4 * (at & 1))
      }
    }
    row += rows
  }
  return { values, scale, offset }
}

/** Numbers −8 … 7 of a weight, row by row, and of each block the step and what is added. */
interface Nibbles {
  readonly q: Int8Array
  readonly steps: Float32Array
  readonly from: Float32Array | null
  readonly blockSize: number
}

/**
 * Blocks d·u + m with u of 0 … 15 (signed numbers are u − 8, so that m is −8d; with a zero point it is −z·d) as
 * d·(u − 8) + (m + 8d), or, where d is below zero, as |d|·(7 − u) + (m + 7d).
 */
function storedNibbles(weight: Weight): Nibbles {
  const stored = weight.quantised()
  if (stored?.form !== 'blocks' || stored.bits !== 4)
    throw new Error(`a weight stored as ${weight.storage} has no blocks of 4 bits`)
  const { values, scale, min, zero, blockSize } = stored
  const signed = values instanceof Int8Array ? 8 : 0
  const q = new Int8Array(values.length)
  const from = new Float32Array(scale.length)
  for (const [block, stored] of scale.entries()) {
    // A step of which float16 knows nothing: the block is zero, as it is when all of it becomes float16.
    const d = Math.abs(stored) < LEAST ? 0 : stored
    const middle = d > 0 ? 8 : 7
    const sign = Math.sign(d)
    from[block] = (min?.[block] ?? 0) + (middle - signed - (zero?.[block] ?? 0)) * d
    for (let i = block * blockSize; i < (block + 1) * blockSize; i++)
      q[i] = sign * (values[i]! + signed - middle)
  }
  return { q, steps: scale.map((d) => (Math.abs(d) < LEAST ? 1 : Math.abs(d))), from, blockSize }
}

function roundedNibbles(weight: Weight, block: number): Nibbles {
  const floats = weight.floats()
  const q = new Int8Array(floats.length)
  const steps = new Float32Array(floats.length / block)
  for (let b = 0; b < steps.length; b++) {
    const [begin, end] = [b * block, (b + 1) * block]
    const step = scaleFor(peakOf(floats, begin, end), 7)
    steps[b] = step
    for (let i = begin; i < end; i++) q[i] = Math.round(floats[i]! / step)
  }
  return { q, steps, from: null, blockSize: block }
}

function peakOf(floats: Float32Array, begin: number, end: number): number {
  let peak = 0
  for (let i = begin; i < end; i++) peak = Math.max(peak, Math.abs(floats[i]!))
  return peak
}

/** The smallest float16 above zero with which `peak` is at most `most` steps. */
function scaleFor(peak: number, most: number): number {
  if (peak === 0) return 1
  const wanted = peak / most
  const last = 2 ** Math.max(Math.floor(Math.log2(wanted)) - 10, -24)
  return Math.ceil(wanted / last) * last
}

/** Of the bits of a float32, those of the nearest float8e4m3fn, ties to even; beyond 448 it is 448. */
export function float8Bits(float: number): number {
  const sign = (float >>> 24) & 0x80
  const magnitude = float & 0x7fffffff
  if (magnitude >= 0x43e00000) return sign | 0x7e
  // Rounding to 3 bits of mantissa, and the exponent's bias of 127 becomes 7.
  if (magnitude >= 0x3c800000)
    return sign | ((magnitude - 0x3c000000 + 0x7ffff + ((magnitude >>> 20) & 1)) >>> 20)
  // Steps of 2⁻⁹ below 2⁻⁶.
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const shift = 141 - (magnitude >>> 23)
  if (shift > 24) return sign
  const rest = mantissa & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  const steps = mantissa >>> shift
  return sign | (steps + (rest > middle || (rest === middle && (steps & 1) === 1) ? 1 : 0))
}
