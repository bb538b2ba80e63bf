import { type BlockNumbers, type BlockSize, repeated } from '../weight-numbers.js'
import { dequantise } from './dequantise.js'
import { centred } from './gguf-blocks.js'
import type { PlainTensor } from './plain.js'
import type { CheckpointTensor } from './tensor.js'

/**
 * A matrix [N, K] whose numbers are packed into words of several tensors; `group` neighbours of a row share a scale.
 */
export interface PackedMatrix {
  readonly name: string
  readonly dims: readonly [N: number, K: number]
  readonly bits: 4 | 8
  readonly group: number
  /** 0 … 2^bits − 1, row-major. */
  values(): Uint8Array
  /** The tensor of the scales, and its numbers as [N, K / group]. */
  readonly scale: PlainTensor
  scales(): Float32Array
  /** Like the scales; null where all of them are half of the range. */
  readonly zeros: (() => Uint8Array) | null
}

/**
 * A packed matrix as the one weight that it stands for: value = (q − zero) · scale, in blocks that divide its groups.
 */
export class PackedWeight implements CheckpointTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: string
  readonly #matrix: PackedMatrix
  readonly #blockSize: BlockSize

  /** @throws SetupError when the groups are no whole blocks */
  constructor(matrix: PackedMatrix) {
    const { name, dims, bits, group, scale, zeros } = matrix
    const blockSize = ([128, 64, 32, 16] as const).find((size) => group % size === 0)
    if (blockSize === undefined || group === 0)
      throw scale.file.damaged(`has ${name} in groups of ${group}, which are not whole blocks of 16`)
    this.name = name
    this.dims = dims
    this.storage = `${zeros ? 'U' : 'I'}${bits}/${blockSize}`
    this.#matrix = matrix
    this.#blockSize = blockSize
  }

  floats(): Float32Array {
    return dequantise(this.quantised())
  }

  quantised(): BlockNumbers {
    const { bits, group, zeros } = this.#matrix
    const blockSize = this.#blockSize
    const values = this.#matrix.values()
    const scale = repeated(this.#scales(), group / blockSize)
    const common = { form: 'blocks', blockSize, bits, scale, min: null } as const
    return zeros
      ? { ...common, values, zero: repeated(zeros(), group / blockSize) }
      : { ...common, values: centred(values, 2 ** (bits - 1)), zero: null }
  }

  /** Scales below zero, or none at all, are no scales of these formats. */
  #scales(): Float32Array {
    const { scale } = this.#matrix
    const scales = this.#matrix.scales()
    const wrong = scales.find((value) => !(value >= 0 && value < Infinity))
    if (wrong !== undefined) throw scale.file.damaged(`has a scale of ${wrong} in ${scale.name}`)
    return scales
  }
}
