import { widenHalf } from './floats.js'
import type { AffineNumbers, BlockNumbers, Quantised } from './tensor.js'

/** Weights per block, and 16-bit units per block: Q4_1 is f16 d, f16 m, 16 bytes; Q8_0 is f16 d, 32 bytes. */
const blockSize = 32
const unitsQ4 = 10
const unitsQ8 = 17

/** Bytes per block of 32 weights. */
export const blockBytes = { Q4_1: unitsQ4 * 2, Q8_0: unitsQ8 * 2 } as const
export type BlockStorage = keyof typeof blockBytes

/** The values as float32, row-major. Every product is exact in double precision, so each value is rounded once. */
export function dequantise(numbers: Quantised): Float32Array {
  return numbers.form === 'affine' ? dequantiseAffine(numbers) : dequantiseBlocks(numbers)
}

function dequantiseAffine({ values, scale, zeroPoint }: AffineNumbers): Float32Array {
  const floats = new Float32Array(values.length)
  const rows = Math.max(scale.length, zeroPoint?.length ?? 1)
  const width = values.length / rows
  for (let row = 0, at = 0; row < rows; row++) {
    const step = scale[scale.length > 1 ? row : 0]!
    const zero = zeroPoint ? zeroPoint[zeroPoint.length > 1 ? row : 0]! : 0
    for (const end = at + width; at < end; at++) floats[at] = (values[at]! - zero) * step
  }
  return floats
}

function dequantiseBlocks({ values, scale, min }: BlockNumbers): Float32Array {
  const floats = new Float32Array(values.length)
  for (let block = 0, at = 0; block < scale.length; block++) {
    const step = scale[block]!
    // Adding -0 changes nothing; adding 0 would turn -0 into 0.
    const low = min ? min[block]! : -0
    for (const end = at + blockSize; at < end; at++) floats[at] = step * values[at]! + low
  }
  return floats
}

/**
 * The blocks of GGUF's Q4_1 (20 bytes) and Q8_0 (34 bytes), taken apart. In Q4_1 the low halves of the 16 bytes are
 * the weights 0..15 and the high halves 16..31. Formats: ggml's block_q4_1 and block_q8_0.
 */
export function unpackBlocks(storage: BlockStorage, bytes: Uint8Array<ArrayBuffer>): BlockNumbers {
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  return storage === 'Q4_1' ? unpackQ4(bytes, units) : unpackQ8(bytes, units)
}

function unpackQ4(bytes: Uint8Array, units: Uint16Array): BlockNumbers {
  const blocks = units.length / unitsQ4
  const values = new Uint8Array(blocks * blockSize)
  const scale = new Uint16Array(blocks)
  const min = new Uint16Array(blocks)
  for (let block = 0; block < blocks; block++) {
    scale[block] = units[block * unitsQ4]!
    min[block] = units[block * unitsQ4 + 1]!
    const from = block * blockBytes.Q4_1 + 4
    const to = block * blockSize
    for (let i = 0; i < 16; i++) {
      const pair = bytes[from + i]!
      values[to + i] = pair & 15
      values[to + i + 16] = pair >> 4
    }
  }
  return { form: 'blocks', blockSize, bits: 4, values, scale: widenHalf(scale), min: widenHalf(min) }
}

function unpackQ8(bytes: Uint8Array<ArrayBuffer>, units: Uint16Array): BlockNumbers {
  const blocks = units.length / unitsQ8
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const values = new Int8Array(blocks * blockSize)
  const scale = new Uint16Array(blocks)
  for (let block = 0; block < blocks; block++) {
    scale[block] = units[block * unitsQ8]!
    const from = block * blockBytes.Q8_0 + 2
    const to = block * blockSize
    for (let i = 0; i < blockSize; i++) values[to + i] = signed[from + i]!
  }
  return { form: 'blocks', blockSize, bits: 8, values, scale: widenHalf(scale), min: null }
}
