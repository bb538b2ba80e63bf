/**
 * The quantised blocks of GGUF, taken apart. Formats: ggml's ggml-common.h (block_q4_0 …) and ggml-quants.c
 * (dequantize_row_…). Numbers of 16 bits are float16, little endian; every block is a whole number of them.
 */
import type { BlockNumbers } from '../weight-numbers.js'
import { widenHalf } from './floats.js'
import { unpackQ4K, unpackQ5K, unpackQ6K } from './k-quants.js'

interface BlockFormat {
  /** Weights and bytes of a block of the file. */
  readonly weights: number
  readonly bytes: number
  unpack(bytes: Uint8Array<ArrayBuffer>): BlockNumbers
}

export const blockFormats = {
  Q4_0: { weights: 32, bytes: 18, unpack: (bytes) => unpackNibbles(bytes, { bits: 4, min: false }) },
  Q4_1: { weights: 32, bytes: 20, unpack: (bytes) => unpackNibbles(bytes, { bits: 4, min: true }) },
  Q5_0: { weights: 32, bytes: 22, unpack: (bytes) => unpackNibbles(bytes, { bits: 5, min: false }) },
  Q5_1: { weights: 32, bytes: 24, unpack: (bytes) => unpackNibbles(bytes, { bits: 5, min: true }) },
  Q8_0: { weights: 32, bytes: 34, unpack: unpackBytes },
  Q4_K: { weights: 256, bytes: 144, unpack: unpackQ4K },
  Q5_K: { weights: 256, bytes: 176, unpack: unpackQ5K },
  Q6_K: { weights: 256, bytes: 210, unpack: unpackQ6K },
} as const satisfies Record<string, BlockFormat>

export type BlockStorage = keyof typeof blockFormats

export const isBlockStorage = (storage: string): storage is BlockStorage =>
  Object.hasOwn(blockFormats, storage)

const BLOCK = 32

/**
 * float16 d, in Q4_1 and Q5_1 float16 m, in Q5_0 and Q5_1 the fifth bits of the 32 weights, and 16 bytes: low halves
 * are the weights 0 … 15, high halves 16 … 31. w = d·q + m, or d·(q − 2^(bits−1)) where there is no m.
 */
function unpackNibbles(
  bytes: Uint8Array<ArrayBuffer>,
  { bits, min: hasMin }: { bits: 4 | 5; min: boolean },
): BlockNumbers {
  const heads = hasMin ? 4 : 2
  const size = heads + (bits === 5 ? 4 : 0) + BLOCK / 2
  const blocks = bytes.length / size
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  const values = new Uint8Array(blocks * BLOCK)
  const scale = new Uint16Array(blocks)
  const min = new Uint16Array(hasMin ? blocks : 0)
  for (let block = 0; block < blocks; block++) {
    const from = block * size
    scale[block] = units[from / 2]!
    if (hasMin) min[block] = units[from / 2 + 1]!
    const pairs = from + size - BLOCK / 2
    const to = block * BLOCK
    for (let i = 0; i < BLOCK / 2; i++) {
      const pair = bytes[pairs + i]!
      values[to + i] = pair & 15
      values[to + i + BLOCK / 2] = pair >> 4
    }
    if (bits === 5)
      for (let i = 0; i < BLOCK; i++)
        values[to + i]! |= ((bytes[from + heads + (i >> 3)]! >> (i & 7)) & 1) << 4
  }
  const common = { form: 'blocks', blockSize: BLOCK, bits, scale: widenHalf(scale), zero: null } as const
  return hasMin
    ? { ...common, values, min: widenHalf(min) }
    : { ...common, values: centred(values, 2 ** (bits - 1)), min: null }
}

/** Q8_0: float16 d and 32 signed bytes. w = d·q. */
function unpackBytes(bytes: Uint8Array<ArrayBuffer>): BlockNumbers {
  const size = BLOCK + 2
  const blocks = bytes.length / size
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const values = new Int8Array(blocks * BLOCK)
  const scale = new Uint16Array(blocks)
  for (let block = 0; block < blocks; block++) {
    const from = block * size
    scale[block] = units[from / 2]!
    values.set(signed.subarray(from + 2, from + size), block * BLOCK)
  }
  return { form: 'blocks', blockSize: BLOCK, bits: 8, values, scale: widenHalf(scale), min: null, zero: null }
}

/** Numbers from 0 on as signed ones around `middle`. */
export function centred(values: Uint8Array, middle: number): Int8Array {
  const signed = new Int8Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < signed.length; i++) signed[i] = values[i]! - middle
  return signed
}
