import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { SetupError } from '../errors.js'

/** In bytes: the limit of safetensors itself, and enough for the largest vocabularies in GGUF. */
export const largestHeader = 100_000_000
/** One read call takes fewer than 2^31 bytes. */
const longestRead = 2 ** 30
const pointerStart = 'version https://git-lfs'

/**
 * A file read by range through one descriptor. What it returns is a fresh copy at offset 0 of its own buffer, so that
 * any typed array can view it: tensors need not be aligned in their file. The platform is little endian, as the files.
 */
export class RangeFile implements Disposable {
  readonly path: string
  /** In bytes, when opened. */
  readonly size: number
  #descriptor: number | null

  /** @throws SetupError when the path is no readable file, or only a Git LFS pointer to one. */
  constructor(path: string) {
    this.path = path
    try {
      // Asked before it is opened: a pipe would wait there for its writer.
      this.#descriptor = statSync(path).isFile() ? openSync(path, 'r') : null
    } catch (cause) {
      throw new SetupError(`${path} can not be opened (${reason(cause)}): is the checkpoint complete?`, {
        cause,
      })
    }
    if (this.#descriptor === null)
      throw new SetupError(`${path} is not a file: name a checkpoint file or its folder`)
    this.size = fstatSync(this.#descriptor).size
    if (this.size >= pointerStart.length && this.size < 1024 && this.#beginsAsPointer()) {
      this[Symbol.dispose]()
      throw new SetupError(`${path} is a Git LFS pointer, not the file itself: run git lfs pull`)
    }
  }

  /** The bytes [offset, offset + length); a range past the end is a SetupError. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.#descriptor === null) throw new Error(`${this.path} was closed`)
    if (offset + length > this.size) throw this.#truncated(offset + length, this.size)
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const wanted = Math.min(length - done, longestRead)
      const got = this.#readInto(this.#descriptor, bytes, done, wanted, offset + done)
      if (got === 0) throw this.#truncated(offset + length, offset + done)
      done += got
    }
    return bytes
  }

  /** The error for contents that can not be right: `<path> <fault>, …`. */
  damaged(fault: string): SetupError {
    return new SetupError(`${this.path} ${fault}: the file is damaged, fetch it again`)
  }

  /** The error for contents that are whole, but not for us: `<path> <what>: <advice>`. */
  unsupported(what: string, advice: string): SetupError {
    return new SetupError(`${this.path} ${what}: ${advice}`)
  }

  [Symbol.dispose](): void {
    if (this.#descriptor === null) return
    closeSync(this.#descriptor)
    this.#descriptor = null
  }

  #readInto(descriptor: number, into: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(descriptor, into, at, length, position)
    } catch (cause) {
      throw new SetupError(`${this.path} can not be read (${reason(cause)}): check the disk`, { cause })
    }
  }

  #beginsAsPointer(): boolean {
    return Buffer.from(this.read(0, pointerStart.length)).toString('latin1') === pointerStart
  }

  #truncated(wanted: number, end: number): SetupError {
    return this.damaged(`is truncated, it ends at byte ${end} and ${wanted} are needed`)
  }
}

function reason(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return String(cause)
}
