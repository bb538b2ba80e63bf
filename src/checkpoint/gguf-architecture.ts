import { arrayType, stringType, typeSizes } from './gguf-metadata.js'

/**
 * `general.architecture` from the first bytes of a GGUF file, before the file is there; undefined when they do not hold
 * it, which writers put first among the metadata.
 */
export function ggufArchitecture(start: Uint8Array): string | undefined {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  let at = 24 // magic, version, counts of tensors and keys
  const string = (): string => {
    const begin = at + 8
    const length = Number(view.getBigUint64(at, true))
    at = begin + length
    if (at > start.length) throw new RangeError('beyond the bytes that are there')
    return Buffer.from(start.subarray(begin, at)).toString('utf8')
  }
  try {
    if (Buffer.from(start.subarray(0, 4)).toString('latin1') !== 'GGUF') return undefined
    for (;;) {
      const key = string()
      const type = view.getUint32(at, true)
      at += 4
      const value = type === stringType ? string() : undefined
      if (key === 'general.architecture') return value
      const size = type === stringType ? 0 : typeSizes[type]
      if (type === arrayType || size === undefined) return undefined
      at += size
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
