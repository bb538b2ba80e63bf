import type { RangeFile } from './file.js'
import { type PlainStorage, toFloats } from './floats.js'
import type { CheckpointTensor } from './tensor.js'

/** A tensor whose numbers stand one after the other in its file. */
export class PlainTensor implements CheckpointTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: PlainStorage
  readonly file: RangeFile
  /** Where the data begin and how long they are, in bytes of the file. */
  readonly #offset: number
  readonly #length: number

  constructor(
    file: RangeFile,
    name: string,
    storage: PlainStorage,
    dims: readonly number[],
    range: { offset: number; length: number },
  ) {
    this.file = file
    this.name = name
    this.storage = storage
    this.dims = dims
    this.#offset = range.offset
    this.#length = range.length
  }

  floats(): Float32Array {
    return toFloats(this.storage, this.bytes())
  }

  quantised(): null {
    return null
  }

  /** The stored bytes, a fresh copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.file.read(this.#offset, this.#length)
  }
}
