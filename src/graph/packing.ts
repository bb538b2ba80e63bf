/**
 * Weights laid out as the kernels of linear.ts want them. `rows` and `columns` of a matrix [N, K]: N outputs, K inputs.
 */
import type { QuantisedWeight, Weight } from './graph.js'

/** Weights per block: GGUF's, and the one that MatMulNBits is asked for. */
export const BLOCK = 32

type Blocks = QuantisedWeight & { form: 'blocks' }

/** Signed bytes with one scale per row: as stored where they are so, else rounded once more. */
export function byteRows(weights: readonly Weight[]): { values: Int8Array; scale: Float32Array } {
  const parts = weights.map((weight) => storedRows(weight) ?? roundedRows(weight.floats(), weight.dims[0]!))
  return { values: joined(parts.map((part) => part.values)), scale: joined(parts.map((part) => part.scale)) }
}

/** What {@link byteRows} can take from the checkpoint as it is: signed bytes without zero points; else null. */
export function storedRows(weight: Weight): { values: Int8Array; scale: Float32Array } | null {
  const stored = weight.quantised()
  const rows = weight.dims[0]!
  if (stored?.form !== 'affine' || !(stored.values instanceof Int8Array) || stored.zeroPoint) return null
  const scale = stored.scale.length === rows ? stored.scale : new Float32Array(rows).fill(stored.scale[0]!)
  return { values: stored.values, scale }
}

function roundedRows(floats: Float32Array, rows: number): { values: Int8Array; scale: Float32Array } {
  const columns = floats.length / rows
  const values = new Int8Array(floats.length)
  const scale = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    const begin = row * columns
    let peak = 0
    for (let i = begin; i < begin + columns; i++) peak = Math.max(peak, Math.abs(floats[i]!))
    scale[row] = peak / 127 || 1
    for (let i = begin; i < begin + columns; i++) values[i] = Math.round(floats[i]! / scale[row]!)
  }
  return { values, scale }
}

/** Bytes with zero point 128 (MatMulNBits' 8-bit weights) and one scale per block; Q4_1 by {@link widened}. */
export function byteBlocks(weights: readonly Weight[]): { values: Uint8Array; scale: Float32Array } {
  const parts = weights.map((weight) => {
    const stored = weight.quantised()
    if (stored?.form === 'blocks')
      return stored.min ? widened(stored) : { ...stored, values: offset128(stored.values) }
    const { values, scale } = byteRows([weight])
    const blocks = values.length / scale.length / BLOCK
    const repeated = new Float32Array(scale.length * blocks)
    for (let row = 0; row < scale.length; row++) repeated.fill(scale[row]!, row * blocks, (row + 1) * blocks)
    return { values: offset128(values), scale: repeated }
  })
  return { values: joined(parts.map((part) => part.values)), scale: joined(parts.map((part) => part.scale)) }
}

/**
 * Blocks w = d·q + m as bytes (d/k)·(k·q + r) with r = round(m·k/d): exact but for the rounding of m. Of the whole
 * numbers k for which the bytes fit (up to 17 for 4 bits) the one with the smallest error is taken: d/100 on average,
 * half of what rounding to 127 steps would leave.
 */
function widened({ values, scale, min }: Blocks): { values: Uint8Array; scale: Float32Array } {
  const bytes = new Uint8Array(values.length)
  const steps = new Float32Array(scale.length)
  for (let block = 0; block < scale.length; block++) {
    const begin = block * BLOCK
    const q = values.subarray(begin, begin + BLOCK)
    const { k, r } = bestMultiple(scale[block]!, min![block]!, q)
    // A constant block (d = 0), or one far from zero against its range, has no such k: round it as it comes.
    const value = (v: number) => scale[block]! * v + min![block]!
    let peak = 0
    if (!k) for (const v of q) peak = Math.max(peak, Math.abs(value(v)))
    steps[block] = k ? scale[block]! / k : peak / 127 || 1
    for (let i = 0; i < BLOCK; i++)
      bytes[begin + i] = 128 + (k ? k * q[i]! + r : Math.round(value(q[i]!) / steps[block]!))
  }
  return { values: bytes, scale: steps }
}

function bestMultiple(d: number, m: number, q: Uint8Array | Int8Array): { k: number; r: number } {
  let [least, most] = [q[0]!, q[0]!]
  for (const value of q) {
    if (value < least) least = value
    if (value > most) most = value
  }
  const best = { k: 0, r: 0, error: Infinity }
  for (let k = 1; d !== 0 && k * (most - least) <= 255 && k <= 17; k++) {
    const r = Math.round((m * k) / d)
    if (k * least + r < -128 || k * most + r > 127) continue
    const error = Math.abs(m / d - r / k)
    if (error < best.error) Object.assign(best, { k, r, error })
  }
  return best
}

/** Q4_1 as stored: MatMulNBits packs neighbours, weight 2j in the low half of byte j, 2j + 1 in the high half. */
export function nibbleBlocks(weights: readonly Weight[]): {
  values: Uint8Array
  scale: Float32Array
  min: Float32Array
} {
  const parts = weights.map((weight) => weight.quantised() as Blocks)
  return {
    values: joined(parts.map((part) => nibbles(part.values))),
    scale: joined(parts.map((part) => part.scale)),
    min: joined(parts.map((part) => part.min!)),
  }
}

function nibbles(values: Uint8Array | Int8Array): Uint8Array {
  const bytes = new Uint8Array(values.length / 2)
  for (let j = 0; j < bytes.length; j++) bytes[j] = values[2 * j]! | (values[2 * j + 1]! << 4)
  return bytes
}

function offset128(values: Uint8Array | Int8Array): Uint8Array {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = values[i]! + 128
  return bytes
}

/** [rows, columns] → [columns, rows]. */
export function transposed<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const result = new (values.constructor as new (n: number) => T)(values.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!
  return result
}

/** The parts one after another. */
export function joined<T extends Float32Array | Int8Array | Uint8Array>(parts: readonly T[]): T {
  const [first] = parts
  if (!first || parts.length === 1) return first ?? (new Float32Array(0) as T)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const result = new (first.constructor as new (n: number) => T)(length)
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** `make()` once for every `uses` calls, and nothing kept between: several constants are parts of one packing. */
export function forUses<T>(uses: number, make: () => T): () => T {
  let made: { value: T; left: number } | null = null
  return () => {
    made ??= { value: make(), left: uses }
    const { value } = made
    made.left--
    if (made.left === 0) made = null
    return value
  }
}
