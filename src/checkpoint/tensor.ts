/** A tensor of a checkpoint, read when asked, by range; nothing is kept. */
export interface CheckpointTensor {
  readonly name: string
  /** Row-major; [] for scalars. */
  readonly dims: readonly number[]
  /**
   * How the numbers are stored, as the file calls it: 'F32' | 'F16' | 'BF16' | 'I8' | 'U8' | 'I64' | 'Q4_1' | 'Q6_K' …
   * A weight that a safetensors file packs into integers has the name of its blocks: 'I4/128' are signed 4 bits in
   * blocks of 128, 'U4/128' the same with zero points.
   */
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

/** Blocks along the last dimension: value = scale[block] · (q − zero[block]) + min[block]. */
export interface BlockNumbers {
  readonly form: 'blocks'
  /** Weights per block; rows are whole blocks. */
  readonly blockSize: BlockSize
  readonly bits: 4 | 5 | 6 | 8
  /** One byte per weight, row-major: 0 … 2^bits − 1 (Uint8Array), or −2^(bits−1) … 2^(bits−1) − 1 (Int8Array). */
  readonly values: Uint8Array | Int8Array
  /** Row-major, rows * (columns / blockSize). */
  readonly scale: Float32Array
  /** Like scale; null means 0. */
  readonly min: Float32Array | null
  /** Like scale, of the range of the values; null means 0. Numbers have a minimum or a zero point, never both. */
  readonly zero: Uint8Array | null
}

export type BlockSize = 16 | 32 | 64 | 128

/** The product of the dimensions (1 for a scalar), or null where it is no safe integer. */
export function elementCount(dims: readonly number[]): number | null {
  let count = 1
  for (const dim of dims) {
    count *= dim
    if (!Number.isSafeInteger(count)) return null
  }
  return count
}
