/** The numbers of weights between a checkpoint, which stores them, and a graph, which lays them out for its kernels. */

/** The quantised numbers of a tensor as they are stored. */
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

/** Each number `times` times: what blocks share when they are cut into smaller ones. */
export function repeated<T extends Float32Array | Uint8Array>(numbers: T, times: number): T {
  if (times === 1) return numbers
  const result = sameKind(numbers, numbers.length * times)
  for (let i = 0; i < numbers.length; i++) result.fill(numbers[i]!, i * times, (i + 1) * times)
  return result
}

/** [rows, columns] → [columns, rows]. */
export function transposed<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const result = sameKind(values, values.length)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!
  return result
}

const sameKind = <T extends Float32Array | Int8Array | Uint8Array>(numbers: T, length: number): T =>
  new (numbers.constructor as new (length: number) => T)(length)
