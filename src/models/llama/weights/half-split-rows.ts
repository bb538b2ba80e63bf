/** Rows of queries and keys in the order that half-split rotation wants. */
import type { CheckpointTensor } from '../../../checkpoint/tensor.js'
import type { Quantised } from '../../../weight-numbers.js'

/**
 * Undoes the order for neighbouring pairs: within each head, half-split row half·j + i is the file's row 2·i + j. Blocks
 * move with their rows.
 */
export class HalfSplitRows implements CheckpointTensor {
  constructor(tensor: CheckpointTensor, heads: number) {
    this.name = tensor.name
    this.dims = tensor.dims
    this.storage = tensor.storage
    this.#tensor = tensor
    this.#heads = heads
  }
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: string
  readonly #tensor: CheckpointTensor
  readonly #heads: number

  floats(): Float32Array {
    return this.#reordered(this.#tensor.floats())
  }

  quantised(): Quantised | null {
    const numbers = this.#tensor.quantised()
    if (numbers?.form !== 'blocks') return null
    return {
      ...numbers,
      values: this.#reordered(numbers.values),
      scale: this.#reordered(numbers.scale),
      min: numbers.min && this.#reordered(numbers.min),
      zero: numbers.zero && this.#reordered(numbers.zero),
    }
  }

  #reordered<T extends Float32Array | Uint8Array | Int8Array>(values: T): T {
    const rows = this.dims[0]!
    const width = values.length / rows
    const half = rows / this.#heads / 2
    const result = values.slice() as T
    for (let row = 0; row < rows; row++) {
      const [head, within] = [Math.floor(row / (2 * half)), row % (2 * half)]
      const from = head * 2 * half + 2 * (within % half) + Math.floor(within / half)
      result.set(values.subarray(from * width, (from + 1) * width), row * width)
    }
    return result
  }
}
