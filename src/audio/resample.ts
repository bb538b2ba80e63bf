/** Changes the sample rate with libsamplerate (Erik de Castro Lopo's Secret Rabbit Code, compiled for JavaScript). */
import { setImmediate as nextTurn } from 'node:timers/promises'
import libsamplerate from '@alexanderolsen/libsamplerate-js'

/** About 5 ms of work; between blocks the event loop serves others. */
const blockSamples = 16_384

/**
 * `samples` (mono) at rate `to` instead of `from` (Hz), zero-phase: sample k of the result is the signal at
 * time k / to. Band-limited to 90 % of the lower Nyquist frequency (SRC_SINC_MEDIUM_QUALITY); may overshoot ±1 a little.
 * @returns round(samples.length · to / from) samples; `samples` itself when the rates are equal
 */
export async function resample(samples: Float32Array, from: number, to: number): Promise<Float32Array> {
  if (from === to) return samples
  const length = Math.round((samples.length * to) / from)
  const output = new Float32Array(length)
  // One converter per call: its state is the library's only copy, and calls interleave at the awaits.
  const converter = await libsamplerate.create(1, from, to, {
    converterType: libsamplerate.ConverterType.SRC_SINC_MEDIUM_QUALITY,
  })
  try {
    let filled = 0
    let fed = 0
    // The filter looks ahead, so the end of the output needs silence behind the end of the input. Its reach is
    // far below one second of either rate: more input than this means that the library has failed.
    const feedLimit = samples.length + from + 2 * blockSamples
    while (filled < length) {
      if (fed > feedLimit)
        throw new Error(`libsamplerate made ${filled} of ${length} samples from ${from} to ${to} Hz`)
      const block =
        fed < samples.length ? samples.subarray(fed, fed + blockSamples) : new Float32Array(blockSamples)
      const made = converter.full(block)
      output.set(made.subarray(0, length - filled), filled)
      filled += made.length
      fed += block.length
      await nextTurn()
    }
  } finally {
    converter.destroy()
  }
  return output
}
