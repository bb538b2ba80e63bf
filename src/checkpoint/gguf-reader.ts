import { largestHeader, type RangeFile } from './file.js'

const windowBytes = 1 << 20
/** GGUF's limit for keys; tensor names are far shorter. */
const longestName = 65535

/** Walks the header of a GGUF file, little endian, a window of the file in memory; every length is checked first. */
export class GgufReader {
  readonly #file: RangeFile
  /** The header can not be longer than this. */
  readonly #end: number
  #view = new DataView(new ArrayBuffer(0))
  /** Where in the file the window begins. */
  #start = 0
  #position: number

  constructor(file: RangeFile, position = 0) {
    this.#file = file
    this.#end = Math.min(file.size, largestHeader)
    this.#position = position
  }

  /** In bytes of the file. */
  get position(): number {
    return this.#position
  }

  u8(): number {
    const at = this.#take(1)
    return this.#view.getUint8(at)
  }

  u16(): number {
    const at = this.#take(2)
    return this.#view.getUint16(at, true)
  }

  u32(): number {
    const at = this.#take(4)
    return this.#view.getUint32(at, true)
  }

  u64(): bigint {
    const at = this.#take(8)
    return this.#view.getBigUint64(at, true)
  }

  f32(): number {
    const at = this.#take(4)
    return this.#view.getFloat32(at, true)
  }

  f64(): number {
    const at = this.#take(8)
    return this.#view.getFloat64(at, true)
  }

  /** A u64 count of things of at least `least` bytes each; refused when the file has no room for them. */
  count(least: number, what: string): number {
    const claimed = this.u64()
    const room = this.#end - this.#position
    if (claimed * BigInt(least) > BigInt(room))
      throw this.#file.damaged(`claims ${claimed} ${what}, more than the ${room} bytes left can hold`)
    return Number(claimed)
  }

  /** A key or a tensor's name. */
  name(what: string): string {
    const length = this.count(1, `bytes of a ${what}`)
    if (length > longestName)
      throw this.#file.damaged(`has a ${what} of ${length} bytes, the limit is ${longestName}`)
    return this.#text(length)
  }

  string(key: string): string {
    return this.#text(this.count(1, `bytes of text for metadata key ${key}`))
  }

  skipString(key: string): void {
    this.skip(this.count(1, `bytes of text for metadata key ${key}`))
  }

  /** Passes over bytes whose number was checked by {@link count}. */
  skip(bytes: number): void {
    this.#position += bytes
  }

  #text(length: number): string {
    const at = this.#take(length)
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + at, length).toString('utf8')
  }

  /** Moves on by `bytes` and returns where in the window they are. */
  #take(bytes: number): number {
    const position = this.#position
    if (position + bytes > this.#end)
      throw this.#file.damaged(`has a header that does not end within ${this.#end} bytes`)
    if (position < this.#start || position + bytes > this.#start + this.#view.byteLength) {
      const length = Math.min(Math.max(bytes, windowBytes), this.#end - position)
      this.#view = new DataView(this.#file.read(position, length).buffer)
      this.#start = position
    }
    this.#position += bytes
    return position - this.#start
  }
}
