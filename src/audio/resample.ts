/** Changes the sample rate with libsamplerate (Erik de Castro Lopo's Secret Rabbit Code, compiled for JavaScript). */
import { setImmediate as nextTurn } from 'node:timers/promises'
import libsamplerate from '@alexanderolsen/libsamplerate-js'

/** About 5 ms of work; between blocks the event loop serves others. */
const blockSamples = 16_384
/** What follows the end of the samples at once: about the filter's reach, which differs with the rates. */
const silentSamples = 512

type Converter = Awaited<ReturnType<typeof libsamplerate.create>>

/**
 * The converter that was used last, while nobody uses it. Its state is the library's only copy and calls interleave
 * at the awaits, so each takes a converter for itself; a new one costs 10 to 30 ms and 26 MB, this one 0.2 ms.
 */
let idle: Converter | undefined

/**
 * `samples` (mono) at rate `to` instead of `from` (Hz), zero-phase: sample k of the result is the signal at
 * time k / to. Band-limited to 90 % of the lower Nyquist frequency (SRC_SINC_MEDIUM_QUALITY); may overshoot ±1 a little.
 * @param signal looked at between blocks; its reason is thrown
 * @returns round(samples.length · to / from) samples; `samples` itself when the rates are equal
 */
export async function resample(
  samples: Float32Array,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (from === to) return samples
  const length = Math.round((samples.length * to) / from)
  const output = new Float32Array(length)
  const converter = await takeConverter(from, to)
  let filled = 0
  let fed = 0
  // The filter looks ahead, so the end of the output needs silence behind the end of the input. Its reach is
  // far below one second of either rate: more input than this means that the library has failed.
  const feedLimit = samples.length + from + 2 * blockSamples
  while (filled < length) {
    signal?.throwIfAborted()
    if (fed > feedLimit)
      throw new Error(`libsamplerate made ${filled} of ${length} samples from ${from} to ${to} Hz`)
    const block =
      fed < samples.length ? samples.subarray(fed, fed + blockSamples) : new Float32Array(silentSamples)
    const made = converter.full(block)
    output.set(made.subarray(0, length - filled), filled)
    filled += made.length
    fed += block.length
    await nextTurn()
  }
  // Only after success: where the library failed, its memory may be damaged, and is left to the collector whole.
  idle = converter
  return output
}

async function takeConverter(from: number, to: number): Promise<Converter> {
  const converter = idle
  if (!converter)
    return libsamplerate.create(1, from, to, {
      converterType: libsamplerate.ConverterType.SRC_SINC_MEDIUM_QUALITY,
    })
  idle = undefined
  // Setting a rate makes the library start afresh, so nothing of the last recording is left in its filter.
  converter.inputSampleRate = from
  converter.outputSampleRate = to
  return converter
}
