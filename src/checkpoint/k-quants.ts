/**
 * GGUF's "K" blocks: 256 weights with one float16 d, of which every 32 (Q4_K, Q5_K) or 16 (Q6_K) have a scale of their
 * own, a whole number of at most 8 bits times d. These products, of 19 bits at most, are exact in float32. Formats:
 * ggml's ggml-common.h (block_q4_K …) and ggml-quants.c (dequantize_row_q4_K …).
 */
import type { BlockNumbers } from '../weight-numbers.js'
import { widenHalf } from './floats.js'

const SUPER = 256

/** float16 d, float16 dmin, 8 pairs of 6 bits in 12 bytes, 128 bytes of two weights. w = d·s·q − dmin·m. */
export const unpackQ4K = (bytes: Uint8Array<ArrayBuffer>): BlockNumbers => unpackPairs(bytes, 4)

/** As Q4_K, with 32 bytes before the pairs: bit s of byte i is the fifth bit of weight i in block s. */
export const unpackQ5K = (bytes: Uint8Array<ArrayBuffer>): BlockNumbers => unpackPairs(bytes, 5)

const BLOCK = 32
const PER_SUPER = SUPER / BLOCK
/** d, dmin and the 12 bytes of scales and minima. */
const HEAD = 16

function unpackPairs(bytes: Uint8Array<ArrayBuffer>, bits: 4 | 5): BlockNumbers {
  const highs = bits === 5 ? BLOCK : 0
  const size = HEAD + highs + SUPER / 2
  const supers = bytes.length / size
  const values = new Uint8Array(supers * SUPER)
  const scale = new Float32Array(supers * PER_SUPER)
  const min = new Float32Array(supers * PER_SUPER)
  const [d, dmin] = [halves(bytes, 0, size), halves(bytes, 2, size)]
  for (let at = 0; at < supers; at++) {
    const from = at * size
    for (let s = 0; s < PER_SUPER; s++) {
      const block = at * PER_SUPER + s
      scale[block] = d[at]! * sixBits(bytes, from + 4, s, 0)
      min[block] = -dmin[at]! * sixBits(bytes, from + 4, s, 1)
      // Two neighbouring blocks share 32 bytes: their low halves are the first.
      const pairs = from + HEAD + highs + (s >> 1) * BLOCK
      for (let i = 0; i < BLOCK; i++) {
        const low = (bytes[pairs + i]! >> (4 * (s & 1))) & 15
        const high = highs ? (bytes[from + HEAD + i]! >> s) & 1 : 0
        values[block * BLOCK + i] = low | (high << 4)
      }
    }
  }
  return { form: 'blocks', blockSize: BLOCK, bits, values, scale, min, zero: null }
}

/**
 * The 6 bits of block `s`, the scale's (`kind` 0) or the minimum's (1), of the 12 bytes at `at`. Blocks 0 … 3 have
 * theirs in the low bits of bytes 0 … 3 (minima: 4 … 7). Blocks 4 … 7 have the two highest bits above those, and the
 * others in the low halves (minima: high halves) of bytes 8 … 11.
 */
function sixBits(bytes: Uint8Array, at: number, s: number, kind: 0 | 1): number {
  const shared = bytes[at + 4 * kind + (s & 3)]!
  if (s < 4) return shared & 63
  return ((bytes[at + 8 + (s & 3)]! >> (4 * kind)) & 15) | ((shared >> 6) << 4)
}

/** 128 bytes of low halves, 64 of the two higher bits, 16 signed scales, float16 d. w = d·s·(q − 32). */
export function unpackQ6K(bytes: Uint8Array<ArrayBuffer>): BlockNumbers {
  const size = 210
  const blockSize = 16
  const supers = bytes.length / size
  const values = new Int8Array(supers * SUPER)
  const scale = new Float32Array((supers * SUPER) / blockSize)
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const d = halves(bytes, 208, size)
  for (let at = 0; at < supers; at++) {
    const from = at * size
    for (let s = 0; s < SUPER / blockSize; s++) scale[at * 16 + s] = d[at]! * signed[from + 192 + s]!
    // Runs of 32 weights: four make a half of the block, which has 64 bytes of low halves and 32 of higher bits.
    for (let run = 0; run < 8; run++) {
      const [half, quarter] = [run >> 2, run & 3]
      const lows = from + half * 64 + (quarter & 1) * 32
      const highs = from + 128 + half * 32
      for (let i = 0; i < 32; i++) {
        const low = (bytes[lows + i]! >> (4 * (quarter >> 1))) & 15
        const high = (bytes[highs + i]! >> (2 * quarter)) & 3
        values[at * SUPER + run * 32 + i] = (low | (high << 4)) - 32
      }
    }
  }
  return { form: 'blocks', blockSize, bits: 6, values, scale, min: null, zero: null }
}

/** The float16 numbers `offset` bytes into every block of `size` bytes. */
function halves(bytes: Uint8Array<ArrayBuffer>, offset: number, size: number): Float32Array {
  const units = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  return widenHalf(
    Uint16Array.from({ length: bytes.length / size }, (_, i) => units[(i * size + offset) / 2]!),
  )
}
