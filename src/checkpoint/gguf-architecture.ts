/** Sizes in bytes of the metadata values that have a fixed one, by type number: u8 i8 u16 i16 u32 i32 f32 bool u64 i64 f64. */
const fixed: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}
const text = 8

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
      const value = type === text ? string() : undefined
      if (key === 'general.architecture') return value
      if (type !== text && fixed[type] === undefined) return undefined
      at += fixed[type] ?? 0
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
