/** Bytes per element of the plain (unblocked) storage types that are read. */
export const plainWidths = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const

export type PlainStorage = keyof typeof plainWidths

export const isPlainStorage = (name: string): name is PlainStorage => Object.hasOwn(plainWidths, name)

/** Little-endian elements of a plain storage type as float32. F32 is a view of the bytes, the rest new memory. */
export function toFloats(storage: PlainStorage, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const { buffer, byteOffset } = bytes
  const length = bytes.length / plainWidths[storage]
  switch (storage) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, length)
    case 'F16':
      return widenHalf(new Uint16Array(buffer, byteOffset, length))
    case 'BF16':
      return widenBrain(new Uint16Array(buffer, byteOffset, length))
    case 'F64':
      return new Float32Array(new Float64Array(buffer, byteOffset, length))
    case 'BOOL':
    case 'U8':
      return new Float32Array(bytes)
    case 'I8':
      return new Float32Array(new Int8Array(buffer, byteOffset, length))
    case 'U16':
      return new Float32Array(new Uint16Array(buffer, byteOffset, length))
    case 'I16':
      return new Float32Array(new Int16Array(buffer, byteOffset, length))
    case 'U32':
      return new Float32Array(new Uint32Array(buffer, byteOffset, length))
    case 'I32':
      return new Float32Array(new Int32Array(buffer, byteOffset, length))
    case 'U64':
      return Float32Array.from(new BigUint64Array(buffer, byteOffset, length), Number)
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number)
  }
}

/** IEEE 754 binary16 → binary32, exact; infinities, NaNs with their payload, and subnormals included. */
export function widenHalf(halves: Uint16Array): Float32Array {
  const table = halfTable()
  // Bits, not floats, are moved: a float assignment may quieten a signalling NaN.
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!
  return new Float32Array(bits.buffer)
}

/** bfloat16 → binary32, exact: bfloat16 is the upper half of binary32. */
export function widenBrain(brains: Uint16Array): Float32Array {
  const bits = new Uint32Array(brains.length)
  for (let i = 0; i < brains.length; i++) bits[i] = brains[i]! << 16
  return new Float32Array(bits.buffer)
}

let table: Uint32Array | null = null

/** The binary32 bits of every binary16: 256 KiB, made at the first use. */
function halfTable(): Uint32Array {
  table ??= Uint32Array.from({ length: 65536 }, (_, half) => halfBits(half))
  return table
}

function halfBits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  // 112 = 127 - 15, the difference of the exponent biases.
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // Subnormal, fraction * 2^-24: shift the leading one up to bit 10, where it becomes the hidden one.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)
}
