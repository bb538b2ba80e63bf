/**
 * Matrices [N, K] (N outputs, K inputs) in the short types that TensorRT multiplies float16 with, laid out as [K, N].
 * Scales are float16 numbers above zero: they are chosen so that rounding to float16 changes nothing, and no weight is
 * beyond the type's range.
 */
import type { Weight } from './graph.js'
import { joined } from './packing.js'

/** Numbers with one scale per output: w[n, k] = values[k, n] · scale[n]. */
export interface ShortColumns {
  readonly values: Int8Array | Uint8Array
  readonly scale: Float32Array
}

/** int8 of ±127. */
export function int8Columns(weights: readonly Weight[], N: number, K: number): ShortColumns {
  return columns(weights, N, K, 127, Int8Array, Math.round)
}

/** float8e4m3fn of ±448, as its bits. */
export function float8Columns(weights: readonly Weight[], N: number, K: number): ShortColumns {
  return columns(weights, N, K, 448, Uint8Array, float8Bits)
}

function columns<T extends Int8Array | Uint8Array>(
  weights: readonly Weight[],
  N: number,
  K: number,
  most: number,
  Numbers: new (length: number) => T,
  short: (value: number) => number,
): ShortColumns {
  const floats = joined(weights.map((weight) => weight.floats()))
  const values = new Numbers(N * K)
  const scale = new Float32Array(N)
  for (let n = 0; n < N; n++) {
    const step = scaleFor(peakOf(floats, n * K, (n + 1) * K), most)
    scale[n] = step
    for (let k = 0; k < K; k++) values[k * N + n] = short(floats[n * K + k]! / step)
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
 * The block size that {@link int4Blocks} makes of the weights: the checkpoint's own where it stores four bits, else the
 * largest that divides the rows; null where none does.
 */
export function int4BlockSize(weights: readonly Weight[]): number | null {
  const K = weights[0]!.dims[1]!
  if (weights.some(({ storage }) => storesFourBits(storage))) return 32
  return [128, 32].find((block) => K % block === 0) ?? null
}

/** Whether blocks of the weights may have an offset. */
export const int4HasOffset = (weights: readonly Weight[]): boolean =>
  weights.some(({ storage }) => storesFourBits(storage))

const storesFourBits = (storage: string): boolean => storage === 'Q4_0' || storage === 'Q4_1'

/**
 * Four bits that the checkpoint stores are kept, and so are their values, but for the rounding of offsets to float16;
 * anything else is rounded to ±7 steps of its block's largest.
 */
export function int4Blocks(weights: readonly Weight[], N: number, K: number, block: number): Int4Blocks {
  const blocks = K / block
  const values = new Uint8Array((N * K) / 2)
  const scale = new Float32Array(blocks * N)
  const offset = int4HasOffset(weights) ? new Float32Array(blocks * N) : null
  let row = 0
  for (const weight of weights) {
    const quantise = storesFourBits(weight.storage) ? storedNibbles(weight) : roundedNibbles(weight, block)
    for (let n = row; n < row + weight.dims[0]!; n++)
      for (let b = 0; b < blocks; b++) {
        const { q, step, from } = quantise((n - row) * blocks + b)
        scale[b * N + n] = step
        if (offset) offset[b * N + n] = from
        for (let i = 0; i < block; i++) {
          const at = (b * block + i) * N + n
          values[at >> 1]! |= (q[i]! & 15) << (4 * (at & 1))
        }
      }
    row += weight.dims[0]!
  }
  return { values, scale, offset }
}

type Nibbles = (block: number) => { q: ArrayLike<number>; step: number; from: number }

/**
 * Q4_0 and Q4_1, d·q + m with q of 0 … 15, as |d|·(q − 8) + (m + 8d), or, where d is below zero, as
 * |d|·(7 − q) + (m + 7d).
 */
function storedNibbles(weight: Weight): Nibbles {
  const stored = weight.quantised()
  if (stored?.form !== 'blocks' || stored.bits !== 4)
    throw new Error(`a weight stored as ${weight.storage} has no blocks of 4 bits`)
  const { values, scale, min, blockSize } = stored
  return (block) => {
    const d = scale[block]!
    const m = min?.[block] ?? 0
    const q = values.subarray(block * blockSize, (block + 1) * blockSize)
    if (d === 0) return { q: new Int8Array(blockSize), step: 1, from: m }
    const middle = d > 0 ? 8 : 7
    return {
      q: Int8Array.from(q, (v) => (d > 0 ? v - middle : middle - v)),
      step: Math.abs(d),
      from: m + middle * d,
    }
  }
}

function roundedNibbles(weight: Weight, block: number): Nibbles {
  const floats = weight.floats()
  return (index) => {
    const [begin, end] = [index * block, (index + 1) * block]
    const step = scaleFor(peakOf(floats, begin, end), 7)
    return { q: Int8Array.from(floats.subarray(begin, end), (v) => Math.round(v / step)), step, from: 0 }
  }
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

/** The bits of the nearest float8e4m3fn, ties to even: 3 bits of mantissa, steps of 2⁻⁹ below 2⁻⁶, at most 448. */
export function float8Bits(value: number): number {
  const sign = value < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(value), 448)
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -6)
  const steps = magnitude / 2 ** (exponent - 3)
  const below = Math.floor(steps)
  const rest = steps - below
  const rounded = below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0)
  return sign | (((exponent + 6) << 3) + rounded)
}
