/** Tiny checkpoint files for the tests, written by the formats' descriptions and independent of the readers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder for the running suite, removed after it. */
export function temporaryFolder(): {
  path: string
  write: (name: string, bytes: Uint8Array | string) => string
} {
  const path = mkdtempSync(join(tmpdir(), 'checkpoint-'))
  after(() => rmSync(path, { recursive: true }))
  const write = (name: string, bytes: Uint8Array | string): string => {
    const file = join(path, name)
    writeFileSync(file, bytes)
    return file
  }
  return { path, write }
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

export const f32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, i * 4)
  })
  return bytes
}

export const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, i) => {
    bytes.writeUInt16LE(value, i * 2)
  })
  return bytes
}

/** A safetensors file from the header as given (an object, or the text itself) and the data. */
export function safetensors(header: object | string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  return Buffer.concat([u64(text.length), text, data])
}

/** A safetensors file of whole tensors, laid out one after the other. */
export function packed(tensors: Record<string, [dtype: string, shape: number[], bytes: Uint8Array]>): Buffer {
  const header: Record<string, unknown> = {}
  let end = 0
  for (const [name, [dtype, shape, bytes]] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] }
    end += bytes.length
  }
  return safetensors(header, Buffer.concat(Object.values(tensors).map(([, , bytes]) => bytes)))
}

export const ggufString = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([u64(bytes.length), bytes])
}

/** A key with its type number and the bytes of its value. */
export const keyValue = (key: string, type: number, value: Uint8Array): Buffer =>
  Buffer.concat([ggufString(key), u32(type), value])

/** GGUF's description of a tensor; `sizes` in GGUF's order, columns first. */
export const tensorInfo = (
  name: string,
  sizes: (number | bigint)[],
  type: number,
  offset: number | bigint,
): Buffer => Buffer.concat([ggufString(name), u32(sizes.length), ...sizes.map(u64), u32(type), u64(offset)])

export interface GgufParts {
  magic?: string
  version?: number
  tensorCount?: number | bigint
  keyCount?: number | bigint
  keys?: Buffer[]
  infos?: Buffer[]
  /** Begins at the next multiple of `alignment`. */
  data?: Buffer
  alignment?: number
}

export function gguf(parts: GgufParts): Buffer {
  const { magic = 'GGUF', version = 3, keys = [], infos = [], data = Buffer.alloc(0), alignment = 32 } = parts
  const counts = [u64(parts.tensorCount ?? infos.length), u64(parts.keyCount ?? keys.length)]
  const header = Buffer.concat([Buffer.from(magic), u32(version), ...counts, ...keys, ...infos])
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment)
  return Buffer.concat([header, padding, data])
}
