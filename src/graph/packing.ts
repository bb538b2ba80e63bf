/**
 * Weights laid out as the kernels of linear.ts want them. `rows` and `columns` of a matrix [N, K]: N outputs, K inputs.
 */
import { type BlockNumbers, type BlockSize, repeated } from '../weight-numbers.js'
import { blockLayout, type Weight } from './weight.js'

/** Weights per block where the checkpoint does not say: those of its rows of bytes. */
const BLOCK = 32

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

/** What MatMulNBits is given for a weight. */
export interface BlockForm {
  /** A byte for each weight, or half of one. */
  readonly bits: 4 | 8
  readonly block: BlockSize
  /** `correction`: a number of each block that its sum of x is multiplied with; `zero`: zero points. */
  readonly offset: 'none' | 'correction' | 'zero'
}

/**
 * The form in which a weight's blocks, or rows of bytes, are multiplied; null where it has neither.
 * @param exact false: minima become part of bytes, rounded; true: they are kept, as a correction
 */
export function blockForm({ storage, dims }: Weight, exact: boolean): BlockForm | null {
  const layout = blockLayout(storage)
  if (!layout)
    return storage === 'I8' && dims[1]! % BLOCK === 0 ? { bits: 8, block: BLOCK, offset: 'none' } : null
  const { bits, blockSize: block, offset } = layout
  if (offset === 'min')
    return exact
      ? { bits: bits === 4 ? 4 : 8, block, offset: 'correction' }
      : { bits: 8, block, offset: 'none' }
  // Differences of two numbers of 4 bits are bytes.
  if (!exact && bits === 4) return { bits: 8, block, offset: 'none' }
  return { bits: bits === 4 ? 4 : 8, block, offset }
}

/** Blocks as MatMulNBits reads them. */
export interface PackedBlocks {
  /** Bytes, or two weights in each: 2j in the low half of byte j, 2j + 1 in the high half. */
  readonly values: Uint8Array
  readonly scale: Float32Array
  /** [N, blocks], with the offset `correction`. */
  readonly correction: Float32Array | null
  /** Of each row, packed as the values are, with the offset `zero`; else the zero point is half of the range. */
  readonly zeros: Uint8Array | null
}

/** Weights of one form (their blocks may be multiples of its block), one after another. */
export function packedBlocks(weights: readonly Weight[], form: BlockForm): PackedBlocks {
  const parts = weights.map((weight) => packed(weight, form))
  const all = <T extends Float32Array | Uint8Array>(part: (blocks: PackedBlocks) => T | null): T | null =>
    part(parts[0]!) && joined(parts.map((blocks) => part(blocks)!))
  return {
    values: all((part) => part.values)!,
    scale: all((part) => part.scale)!,
    correction: all((part) => part.correction),
    zeros: all((part) => part.zeros),
  }
}

function packed(weight: Weight, { bits, block, offset }: BlockForm): PackedBlocks {
  const blocks = storedBlocks(weight)
  const { values, scale, min, zero, blockSize } = blocks
  const repeat = <T extends Float32Array | Uint8Array>(numbers: T) => repeated(numbers, blockSize / block)
  if (offset === 'none' && (min || (zero && blocks.bits === 4))) {
    const bytes = min ? widened(blocks) : differences(blocks)
    return { values: bytes.values, scale: repeat(bytes.scale), correction: null, zeros: null }
  }
  const middle = 2 ** (bits - 1)
  const signed = values instanceof Int8Array
  // Bytes around their middle, also where a minimum takes the weights elsewhere: errors of x grow with their size.
  const from = signed ? middle : middle - 2 ** (blocks.bits - 1)
  const bytes = from === 0 ? (values as Uint8Array) : raised(values, from)
  return {
    values: bits === 4 ? nibbles(bytes) : bytes,
    scale: repeat(scale),
    correction: min && repeat(min.map((m, i) => m + (middle - from) * scale[i]!)),
    zeros: zero && zeroPoints(repeat(zero), bits, weight.dims[1]! / block),
  }
}

/** Blocks as the checkpoint has them; rows of bytes, which may be rounded, as blocks that share their row's scale. */
function storedBlocks(weight: Weight): BlockNumbers {
  const stored = weight.quantised()
  if (stored?.form === 'blocks') return stored
  const { values, scale } = byteRows([weight])
  return {
    form: 'blocks',
    blockSize: BLOCK,
    bits: 8,
    values,
    scale: repeated(scale, values.length / scale.length / BLOCK),
    min: null,
    zero: null,
  }
}

function zeroPoints(zeros: Uint8Array, bits: 4 | 8, blocks: number): Uint8Array {
  if (bits === 8) return zeros
  if (blocks % 2 === 0) return nibbles(zeros)
  // Every row begins with a byte of its own.
  const padded = new Uint8Array((zeros.length / blocks) * (blocks + 1))
  for (let from = 0, to = 0; from < zeros.length; from += blocks, to += blocks + 1)
    padded.set(zeros.subarray(from, from + blocks), to)
  return nibbles(padded)
}

/** d·(q − z) as bytes around 128: exact, of 4 bits. */
function differences({ values, scale, zero, blockSize }: BlockNumbers): {
  values: Uint8Array
  scale: Float32Array
} {
  const bytes = new Uint8Array(values.length)
  for (let block = 0, at = 0; block < scale.length; block++) {
    const from = 128 - zero![block]!
    for (const end = at + blockSize; at < end; at++) bytes[at] = from + values[at]!
  }
  return { values: bytes, scale }
}

/**
 * Blocks w = d·q + m as bytes (d/k)·(k·q + r) with r = round(m·k/d): exact but for the rounding of m. Of the whole
 * numbers k for which the bytes fit (up to 17 for 4 bits, 8 for 5) the one with the smallest error is taken: d/100 on
 * average, half of what rounding to 127 steps would leave.
 */
function widened({ values, scale, min, blockSize }: BlockNumbers): {
  values: Uint8Array
  scale: Float32Array
} {
  const bytes = new Uint8Array(values.length)
  const steps = new Float32Array(scale.length)
  for (let block = 0; block < scale.length; block++) {
    const begin = block * blockSize
    const q = values.subarray(begin, begin + blockSize)
    const { k, r } = bestMultiple(scale[block]!, min![block]!, q)
    // A constant block (d = 0), or one far from zero against its range, has no such k: round it as it comes.
    const value = (v: number) => scale[block]! * v + min![block]!
    let peak = 0
    if (!k) for (const v of q) peak = Math.max(peak, Math.abs(value(v)))
    steps[block] = k ? scale[block]! / k : peak / 127 || 1
    for (let i = 0; i < blockSize; i++)
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

function nibbles(values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(values.length / 2)
  for (let j = 0; j < bytes.length; j++) bytes[j] = values[2 * j]! | (values[2 * j + 1]! << 4)
  return bytes
}

function raised(values: Uint8Array | Int8Array, by: number): Uint8Array {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = values[i]! + by
  return bytes
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
