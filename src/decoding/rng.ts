import { createHash } from 'node:crypto'

/**
 * Uniform numbers in [0, 1) with 53 random bits, the same for the same seed on every machine. The generator is
 * xoshiro128**; its state is the first 128 bits of SHA-256 of the seed in decimal, so that near seeds are unrelated,
 * every 64-bit integer (as bigint) is a seed of its own, and 7, 7n and '7' are the same one.
 */
export function seededRandom(seed: number | bigint | string): () => number {
  const digest = createHash('sha256').update(String(seed)).digest()
  const next = xoshiro128(Uint32Array.from([0, 4, 8, 12], (at) => digest.readUInt32LE(at)))
  return () => {
    const high = next() >>> 5
    const low = next() >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }
}

/**
 * xoshiro128** 1.1 of David Blackman and Sebastiano Vigna (public domain, https://prng.di.unimi.it): unsigned 32-bit
 * numbers with period 2^128 - 1. The state is four words, not all zero; it is copied.
 */
export function xoshiro128(state: Uint32Array): () => number {
  let [a = 0, b = 0, c = 0, d = 0] = state
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
