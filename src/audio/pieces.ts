/** A growing sound as base64 pieces that may be joined as texts. */
import { quantise } from './pcm.js'

/** Half a second at 24 kHz, and a multiple of three samples. */
const mostSamples = 12_000

/**
 * Cuts 16-bit little-endian samples into base64 pieces. Each but the last stands for a multiple of six bytes: whole
 * samples, and no padding, since padded pieces that a client joins as texts decode only up to the first padding.
 */
export class Base64Pieces {
  private rest = new Float32Array();

  *push(samples: Float32Array): Generator<string> {
    const all = new Float32Array(this.rest.length + samples.length)
    all.set(this.rest)
    all.set(samples, this.rest.length)
    const whole = all.length - (all.length % 3)
    for (let at = 0; at < whole; at += mostSamples)
      yield encode(all.subarray(at, Math.min(at + mostSamples, whole)))
    this.rest = all.slice(whole)
  }

  /** What is left, at most two samples; the empty text if nothing is. */
  end(): string {
    return encode(this.rest)
  }
}

function encode(samples: Float32Array): string {
  const pcm = new Int16Array(samples.length)
  quantise(samples, pcm)
  return Buffer.from(pcm.buffer).toString('base64')
}
