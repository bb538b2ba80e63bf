import type { Quantised } from '../weight-numbers.js'

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

/** The product of the dimensions (1 for a scalar), or null where it is no safe integer. */
export function elementCount(dims: readonly number[]): number | null {
  let count = 1
  for (const dim of dims) {
    count *= dim
    if (!Number.isSafeInteger(count)) return null
  }
  return count
}
