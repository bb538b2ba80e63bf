/** Spoken replies as bytes. */
import { encode } from 'node-wav'

export type ReplyFormat = 'wav' | 'pcm16'

/**
 * The pieces one after the other, mono, 16 bit, little-endian; `wav` with a 44-byte header, `pcm16` without.
 * Samples are clamped to [-1, 1] and rounded to the nearest of sample · 32768 (so 1 becomes 32767).
 * @param sampleRate of the pieces, in Hz
 */
export function encodeReply(
  pieces: readonly Float32Array[],
  sampleRate: number,
  format: ReplyFormat,
): Buffer {
  const samples = quantise(pieces)
  if (format === 'pcm16') return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  return encode([forNodeWav(samples)], { sampleRate, bitDepth: 16 })
}

function quantise(pieces: readonly Float32Array[]): Int16Array {
  const samples = new Int16Array(pieces.reduce((total, piece) => total + piece.length, 0))
  let at = 0
  for (const piece of pieces)
    for (const value of piece) samples[at++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)))
  return samples
}

/**
 * Floats that node-wav 0.0.2 turns into exactly these integers: it scales positive numbers by 32767, negative
 * ones by 32768, and cuts off the fraction, so positive ones aim at the middle of what is cut.
 */
function forNodeWav(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (value) => (value < 0 ? value / 32768 : (value + 0.5) / 32767))
}
