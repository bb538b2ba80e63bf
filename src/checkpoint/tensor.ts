/** A tensor of a checkpoint, read when asked, by range; nothing is kept. */
export interface CheckpointTensor {
  readonly name: string
  /** Row-major; [] for scalars. */
  readonly dims: readonly number[]
  /** As the file calls it: 'F32' | 'F16' | 'BF16' | 'I8' | 'U8' | 'I64' | 'Q4_1' | 'Q8_0' … */
  readonly storage: string
  /** All values as float32, dequantised, row-major. */
  floats(): Float32Array
  /** The quantised numbers as stored, or null where the numbers stored are the values themselves. */
  quantised(): Quantised | null
}

export type Quantised = AffineNumbers | BlockNumbers

/** value = (q - zeroPoint) * scale. */
export interface AffineNumbers {
  readonly form: 'affine'
  /** Row-major. */
  readonly values: Int8Array | Uint8Array
  /** One value, or one per row (dims[0]). */
  readonly scale: Float32Array
  /** One value, or one per row (dims[0]); null means 0. */
  readonly zeroPoint: Int8Array | Uint8Array | null
}

/** Blocks of 32 along the last dimension: value = scale[block] * q + (min ? min[block] : 0). */
export interface BlockNumbers {
  readonly form: 'blocks'
  readonly blockSize: 32
  readonly bits: 4 | 8
  /** One byte per weight, row-major: 0..15 (Uint8Array) for 4 bits, signed (Int8Array) for 8. */
  readonly values: Uint8Array | Int8Array
  /** Row-major, rows * (columns / 32). */
  readonly scale: Float32Array
  /** Like scale; null means 0. */
  readonly min: Float32Array | null
}

/** The product of the dimensions (1 for a scalar), or null where it is no safe integer. */
export function elementCount(dims: readonly number[]): number | null {
  let count = 1
  for (const dim of dims) {
    count *= dim
    if (!Number.isSafeInteger(count)) return null
  }
  return count
}
