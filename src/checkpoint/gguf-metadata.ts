import type { RangeFile } from './file.js'
import { GgufReader } from './gguf-reader.js'

/** Arrays beyond this many elements are read when asked for: vocabularies have hundreds of thousands of strings. */
const eagerElements = 256
export const stringType = 8
export const arrayType = 9
/** Sizes in bytes by type number: u8 i8 u16 i16 u32 i32 f32 bool, string and array (at least), u64 i64 f64. */
export const typeSizes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8]

/** Reads `count` key/value pairs, leaving the reader behind the last. */
export function readMetadata(file: RangeFile, reader: GgufReader, count: number): GgufMetadata {
  const metadata = new GgufMetadata()
  for (let i = 0; i < count; i++) {
    const key = reader.name('metadata key')
    if (metadata.has(key)) throw file.damaged(`has the metadata key ${key} twice`)
    const type = reader.u32()
    if (type === arrayType) readArray(file, reader, key, metadata)
    else metadata.set(key, readValue(file, reader, type, key))
  }
  return metadata
}

/** Metadata whose big arrays are read from the file at each `get`, while the checkpoint is open; nothing is kept. */
export class GgufMetadata extends Map<string, unknown> {
  readonly #later = new Map<string, () => unknown>()

  setLater(key: string, read: () => unknown): void {
    this.set(key, null)
    this.#later.set(key, read)
  }

  override get(key: string): unknown {
    const read = this.#later.get(key)
    return read ? read() : super.get(key)
  }

  override *entries(): Generator<[string, unknown], undefined> {
    for (const key of this.keys()) yield [key, this.get(key)]
  }

  override *values(): Generator<unknown, undefined> {
    for (const key of this.keys()) yield this.get(key)
  }

  override [Symbol.iterator](): Generator<[string, unknown], undefined> {
    return this.entries()
  }

  override forEach(visit: (value: unknown, key: string, map: Map<string, unknown>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }
}

function readArray(file: RangeFile, reader: GgufReader, key: string, metadata: GgufMetadata): void {
  const type = reader.u32()
  if (type === arrayType) throw file.damaged(`has arrays inside the array of metadata key ${key}`)
  const count = reader.count(sizeOf(file, type, key), `elements of metadata key ${key}`)
  const start = reader.position
  if (count <= eagerElements) {
    metadata.set(key, readElements(file, reader, type, count, key))
    return
  }
  if (type === stringType) for (let i = 0; i < count; i++) reader.skipString(key)
  else reader.skip(count * sizeOf(file, type, key))
  metadata.setLater(key, () => readElements(file, new GgufReader(file, start), type, count, key))
}

function readElements(
  file: RangeFile,
  reader: GgufReader,
  type: number,
  count: number,
  key: string,
): unknown[] {
  const elements: unknown[] = []
  for (let i = 0; i < count; i++) elements.push(readValue(file, reader, type, key))
  return elements
}

function readValue(file: RangeFile, reader: GgufReader, type: number, key: string): unknown {
  switch (type) {
    case 0:
      return reader.u8()
    case 1:
      return (reader.u8() << 24) >> 24
    case 2:
      return reader.u16()
    case 3:
      return (reader.u16() << 16) >> 16
    case 4:
      return reader.u32()
    case 5:
      return reader.u32() | 0
    case 6:
      return reader.f32()
    case 7:
      return readBool(file, reader, key)
    case stringType:
      return reader.string(key)
    case 10:
      return narrow(reader.u64())
    case 11:
      return narrow(BigInt.asIntN(64, reader.u64()))
    case 12:
      return reader.f64()
    default:
      throw unknownType(file, type, key)
  }
}

function readBool(file: RangeFile, reader: GgufReader, key: string): boolean {
  const value = reader.u8()
  if (value > 1) throw file.damaged(`has ${value} for the boolean metadata key ${key}`)
  return value === 1
}

/** 64-bit integers are numbers wherever that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function sizeOf(file: RangeFile, type: number, key: string): number {
  const size = typeSizes[type]
  if (size === undefined) throw unknownType(file, type, key)
  return size
}

const unknownType = (file: RangeFile, type: number, key: string) =>
  file.damaged(`has the unknown value type ${type} for metadata key ${key}`)
