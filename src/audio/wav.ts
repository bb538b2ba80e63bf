/**
 * Walks the chunks of a WAV file and checks everything that it claims against the bytes that are there, before
 * anything is allocated for it: the decoder behind it (node-wav) believes what headers say.
 */
import { ServiceError } from '../errors.js'
import { latin1 } from './signatures.js'
import { parseFormat, type SampleFormat } from './wav-format.js'

export interface WavInfo {
  format: 'pcm' | 'float'
  bitsPerSample: 8 | 16 | 24 | 32 | 64
  channels: number
  /** In Hz. */
  sampleRate: number
  /** Samples per channel. */
  frames: number
  /** Where the samples begin, in bytes from the file's start. */
  dataOffset: number
}

export interface AudioLimits {
  /** Of the recordings of one request together. */
  maxSeconds: number
  /** What the recordings before this one have used of it. */
  secondsBefore?: number
}

/** Writers that cannot seek back leave one of these where the size should be. */
const isStreamed = (size: number): boolean => size === 0 || size === 0xffff_ffff

/** Or the end of what a signed counter holds, for which the RIFF size then makes room: 0x7ffff000 (SoX), 2^31 (arecord). */
const isEndOfCounter = (size: number): boolean => Math.abs(size - 2 ** 31) <= 2 ** 16

/**
 * Common writers get the RIFF size wrong by a header's length (they count its 8 bytes, or forget 4 of the fmt
 * chunk's). The samples are what matters, and the data chunk's own size is checked exactly.
 */
const riffSizeSlack = 8

const unlimited: AudioLimits = { maxSeconds: Number.POSITIVE_INFINITY }

/**
 * Describes the recording in a WAV file without copying it.
 * @param limits a longer recording is refused; by what it claims to be, so before its truncation
 * @throws ServiceError `invalid_audio` or `audio_too_long`, naming `param`, the value and the limit
 */
export function inspectWav(bytes: Uint8Array, param: string, limits: AudioLimits = unlimited): WavInfo {
  const refuse = (what: string): never => {
    throw new ServiceError('invalid_audio', `${param}: ${what}`, param)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const riffEnd = checkMagic(bytes, view, refuse)
  let format: SampleFormat | undefined
  let info: WavInfo | undefined

  for (let at = 12; at + 8 <= bytes.length; ) {
    // What follows the RIFF chunk is no part of it (tags that players append, for one).
    if (info && at >= riffEnd) break
    const id = latin1(bytes, at, 4)
    const size = view.getUint32(at + 4, true)
    const body = at + 8
    const available = bytes.length - body
    if (id === 'fmt ') {
      if (format) return refuse('the WAV has two fmt chunks')
      if (size > available)
        return refuse(`the WAV is truncated: its fmt chunk claims ${size} bytes, ${available} are there`)
      format = parseFormat(bytes.subarray(body, body + size), param)
    } else if (id === 'data') {
      if (info) return refuse('the WAV has two data chunks')
      if (!format) return refuse('the WAV has no fmt chunk before its data chunk')
      const streamed =
        isStreamed(size) || (isEndOfCounter(size) && riffEnd === Number.POSITIVE_INFINITY && size > available)
      info = describeData(format, body, streamed ? undefined : size, available, limits, param)
      if (streamed) break
      if (body + size > riffEnd + riffSizeSlack)
        return refuse(
          `the WAV contradicts itself: its data chunk ends at byte ${body + size}, its RIFF size says ${riffEnd}`,
        )
    } else if (size > available) {
      // Behind the samples it is only metadata that is cut.
      if (info) break
      return refuse(
        `the WAV is truncated: its chunk ${JSON.stringify(id)} claims ${size} bytes, ${available} are there`,
      )
    }
    at = body + size + (size & 1)
  }
  if (!info) return refuse(`the WAV has no ${format ? 'data' : 'fmt'} chunk`)
  if (riffEnd !== Number.POSITIVE_INFINITY && riffEnd > bytes.length + riffSizeSlack)
    return refuse(`the WAV is truncated: its RIFF size claims ${riffEnd} bytes, ${bytes.length} are there`)
  return info
}

/** Returns where the RIFF chunk says it ends; infinity for a streamed size. */
function checkMagic(bytes: Uint8Array, view: DataView, refuse: (what: string) => never): number {
  if (bytes.length === 0) return refuse('the recording is empty (0 bytes)')
  if (latin1(bytes, 0, 4) !== 'RIFF') return refuse('the recording does not start with RIFF')
  if (bytes.length < 12) return refuse(`the WAV is truncated: it has ${bytes.length} bytes`)
  const form = latin1(bytes, 8, 4)
  if (form !== 'WAVE') return refuse(`the recording is a RIFF file of kind ${JSON.stringify(form)}, not WAVE`)
  const size = view.getUint32(4, true)
  return isStreamed(size) || isEndOfCounter(size) ? Number.POSITIVE_INFINITY : 8 + size
}

function describeData(
  format: SampleFormat,
  dataOffset: number,
  /** Undefined for a streamed size: up to the file's end. */
  claimed: number | undefined,
  available: number,
  limits: AudioLimits,
  param: string,
): WavInfo {
  const { blockAlign, ...rest } = format
  const size = claimed ?? available
  const frames = Math.floor(size / blockAlign)
  checkDuration(frames / format.sampleRate, limits, param)
  const fault =
    size > available
      ? `the WAV is truncated: its data chunk claims ${size} bytes, ${available} are there`
      : frames === 0
        ? 'the recording holds no samples'
        : // A stream may be cut anywhere; a stated size that splits a frame is a mistake somewhere.
          size % blockAlign !== 0 && claimed !== undefined
          ? `the data chunk's ${size} bytes are no whole number of ${blockAlign}-byte frames`
          : undefined
  if (fault) throw new ServiceError('invalid_audio', `${param}: ${fault}`, param)
  return { ...rest, frames, dataOffset }
}

function checkDuration(seconds: number, { maxSeconds, secondsBefore = 0 }: AudioLimits, param: string): void {
  const total = secondsBefore + seconds
  if (total <= maxSeconds) return
  // Rounded up, so that the two numbers of the sentence never look equal.
  const length = `${Math.ceil(total * 100) / 100} s long`
  throw new ServiceError(
    'audio_too_long',
    `${param}: ${secondsBefore > 0 ? `the recordings up to this one are together ${length}` : `the recording is ${length}`}; the limit is ${maxSeconds} s (MAX_AUDIO_SECONDS)`,
    param,
  )
}
