/** Sound as 16-bit samples, bare or in a WAV file. */
import { dataSizeAt, riffSizeAt, wavHeaderBytes, writeWavHeader } from './wav-header.js'

export type PcmFormat = 'wav' | 'pcm16'

/**
 * The pieces one after the other, mono, 16 bit, little-endian; `wav` with a 44-byte header, `pcm16` without.
 * @param sampleRate of the pieces, in Hz
 */
export function encodePcm(pieces: readonly Float32Array[], sampleRate: number, format: PcmFormat): Buffer {
  const length = pieces.reduce((total, piece) => total + piece.length, 0)
  const start = format === 'wav' ? wavHeaderBytes : 0
  const file = new ArrayBuffer(start + length * 2)
  if (format === 'wav') writeWavHeader(file, { format: 'pcm', bitsPerSample: 16, channels: 1, sampleRate })
  let at = start
  for (const piece of pieces) {
    quantise(piece, new Int16Array(file, at, piece.length))
    at += piece.length * 2
  }
  return Buffer.from(file)
}

/** The header of a WAV whose length is not known when it begins, as recorders write it to pipes. */
export function streamedWavHeader(sampleRate: number): Uint8Array {
  const header = new ArrayBuffer(wavHeaderBytes)
  writeWavHeader(header, { format: 'pcm', bitsPerSample: 16, channels: 1, sampleRate })
  const view = new DataView(header)
  for (const at of [riffSizeAt, dataSizeAt]) view.setUint32(at, 0xffff_ffff, true)
  return new Uint8Array(header)
}

/**
 * Samples clamped to [-1, 1] and rounded to the nearest of sample · 32768 (so 1 becomes 32767).
 *
 * On the main thread, where five minutes of speech are seven million samples: an index, no iterator, and
 * Math.floor(x + 1/2), are six times as fast as Math.round and Math.min, and exact for a float32 · 32768.
 */
export function quantise(samples: Float32Array, target: Int16Array): void {
  for (let i = 0; i < samples.length; i++) {
    const scaled = Math.floor(samples[i]! * 32768 + 0.5)
    target[i] = scaled > 32767 ? 32767 : scaled < -32768 ? -32768 : scaled
  }
}
