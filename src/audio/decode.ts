/** Recordings as the recogniser wants them: mono, 16 kHz, float32. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decode } from 'node-wav'
import { ServiceError } from '../errors.js'
import { decodeCoded } from './codecs/client.js'
import { resample } from './resample.js'
import { latin1, looksLike } from './signatures.js'
import { type AudioLimits, inspectWav, type WavInfo } from './wav.js'
import { wavHeaderBytes, writeWavHeader } from './wav-header.js'

/** The names under which recordings may come. They are only names: the bytes tell what a recording is. */
export const recordingFormats: readonly string[] = [
  'wav',
  'mp3',
  'flac',
  'ogg',
  'opus',
  'webm',
  'mp4',
  'm4a',
  'mpeg',
  'mpga',
]

/** In Hz. */
export const recogniserRate = 16_000

/** Frames handed to node-wav at once: a few milliseconds of work, and a bound on its memory. */
const blockFrames = 65_536

/**
 * A recording of any format that the codecs know -> mono float32 in [-1, 1] at 16000 Hz; channels are averaged. What it
 * is its bytes tell. 16-bit samples of a WAV at 16 kHz come out as sample / 32768 exactly. Yields to the event loop
 * every few milliseconds.
 * @param param the request field that the bytes came from, for the message
 * @param signal looked at between blocks
 * @throws ServiceError `invalid_audio` or `audio_too_long`; the signal's reason
 */
export async function decodeRecording(
  bytes: Uint8Array,
  limits: AudioLimits,
  param: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Float32Array> {
  const { mono, sampleRate } =
    bytes.length === 0 || latin1(bytes, 0, 4) === 'RIFF'
      ? await decodeWav(bytes, limits, param, signal)
      : await decodeOther(bytes, limits, param, signal)
  const resampled = await resample(mono, sampleRate, recogniserRate, signal)
  return resampled === mono ? mono : clamp(resampled)
}

async function decodeOther(bytes: Uint8Array, limits: AudioLimits, param: string, signal: AbortSignal) {
  const { maxSeconds, secondsBefore = 0 } = limits
  try {
    return await decodeCoded(bytes, maxSeconds - secondsBefore, signal)
  } catch (error) {
    if (!(error instanceof ServiceError) || signal.aborted) throw error
    const before = secondsBefore > 0 ? ` behind the ${Math.round(secondsBefore * 100) / 100} s before it` : ''
    const name = looksLike(bytes)
    const message =
      error.code === 'audio_too_long'
        ? `the recording is too long${before}; the limit is ${maxSeconds} s (MAX_AUDIO_SECONDS)`
        : `${name ? `the recording looks like ${name}; ` : ''}${error.message}`
    throw new ServiceError(error.code, `${param}: ${message}`, param, { cause: error })
  }
}

async function decodeWav(bytes: Uint8Array, limits: AudioLimits, param: string, signal: AbortSignal) {
  const wav = inspectWav(bytes, param, limits)
  const mono = new Float32Array(wav.frames)
  for (let first = 0; first < wav.frames; first += blockFrames) {
    if (first > 0) await nextTurn()
    signal.throwIfAborted()
    const frames = Math.min(blockFrames, wav.frames - first)
    const decoded = decode(canonicalWav(bytes, wav, first, frames))
    if (!decoded) throw new Error('node-wav found no samples in a canonical WAV')
    const bad = mixDown(decoded.channelData, mono.subarray(first, first + frames))
    if (bad !== undefined)
      throw new ServiceError(
        'invalid_audio',
        `${param}: sample ${first + bad} is not a finite float32 number`,
        param,
      )
  }
  return { mono, sampleRate: wav.sampleRate }
}

/**
 * Frames `first` … `first + frames` as a WAV of their own that node-wav 0.0.2 reads rightly: a 44-byte header, in
 * an ArrayBuffer of its own. Integers are widened to 32 bits, because node-wav takes 24-bit -1.0 for +1.0 and
 * scales positive samples by 1 / (2^(bits-1) - 1): with 31 bits that rounds to the exact quotient. 64-bit floats
 * are narrowed, because they would not lie on a multiple of 8 behind that header.
 */
function canonicalWav(bytes: Uint8Array, wav: WavInfo, first: number, frames: number): ArrayBuffer {
  const samples = frames * wav.channels
  const width = wav.bitsPerSample / 8
  const start = wav.dataOffset + first * wav.channels * width
  const file = new ArrayBuffer(wavHeaderBytes + samples * 4)
  writeWavHeader(file, { ...wav, bitsPerSample: 32 })
  const source = bytes.subarray(start, start + samples * width)
  if (wav.bitsPerSample === 32) new Uint8Array(file).set(source, wavHeaderBytes)
  else if (wav.format === 'float') narrowFloats(source, new Float32Array(file, wavHeaderBytes))
  else widenIntegers(source, width, new Int32Array(file, wavHeaderBytes))
  return file
}

/** Little-endian integers of 1 (unsigned, as WAV has them), 2 or 3 bytes, moved to the top of 32 bits. */
function widenIntegers(source: Uint8Array, width: number, target: Int32Array): void {
  for (let i = 0, at = 0; i < target.length; i++, at += width) {
    const a = source[at]!
    if (width === 1) target[i] = (a - 128) << 24
    else if (width === 2) target[i] = (a << 16) | (source[at + 1]! << 24)
    else target[i] = (a << 8) | (source[at + 1]! << 16) | (source[at + 2]! << 24)
  }
}

function narrowFloats(source: Uint8Array, target: Float32Array): void {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  for (let i = 0; i < target.length; i++) target[i] = view.getFloat64(i * 8, true)
}

/** Writes the channels' mean, clamped, into `mono`; returns the first frame that is not finite, if there is one. */
function mixDown(channels: readonly Float32Array[], mono: Float32Array): number | undefined {
  const left = channels[0]!
  const right = channels[1] ?? left
  for (let i = 0; i < mono.length; i++) {
    const mean = (left[i]! + right[i]!) / 2
    if (!Number.isFinite(mean)) return i
    // Float files may exceed full scale, and a filter must not meet 1e38.
    mono[i] = Math.max(-1, Math.min(1, mean))
  }
  return undefined
}

/** In place: a steep filter overshoots at full-scale edges. */
function clamp(samples: Float32Array): Float32Array {
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.max(-1, Math.min(1, samples[i]!))
  }
  return samples
}
