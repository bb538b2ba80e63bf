/** Spoken replies as bytes, in every format that they may be asked for. */
import { encodeCoded } from './codecs/client.js'
import type { CodedFormat } from './codecs/protocol.js'
import { encodePcm, type PcmFormat, streamedWavHeader } from './pcm.js'

export type ReplyFormat = PcmFormat | CodedFormat

/** As requests name them. */
export const replyFormats: readonly ReplyFormat[] = ['wav', 'mp3', 'flac', 'opus', 'aac', 'pcm16']

export const mediaTypes: Readonly<Record<ReplyFormat, string>> = {
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  opus: 'audio/ogg; codecs=opus',
  aac: 'audio/aac',
  pcm16: 'audio/pcm; rate=24000; channels=1',
}

/** The pieces one after the other as one file; a coded file of no sound has no bytes. */
export async function encodeReply(
  pieces: readonly Float32Array[],
  sampleRate: number,
  format: ReplyFormat,
  signal: AbortSignal,
): Promise<Buffer> {
  if (isPcm(format)) return encodePcm(pieces, sampleRate, format)
  const bytes: Uint8Array[] = []
  for await (const part of encodeCoded(pieces, format, sampleRate, signal)) bytes.push(part)
  return Buffer.concat(bytes)
}

/** The same as its pieces come; a WAV says that its length is not known. */
export async function* encodeSound(
  pieces: AsyncIterable<Float32Array>,
  sampleRate: number,
  format: ReplyFormat,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!isPcm(format)) return yield* encodeCoded(pieces, format, sampleRate, signal)
  if (format === 'wav') yield streamedWavHeader(sampleRate)
  for await (const piece of pieces) yield encodePcm([piece], sampleRate, 'pcm16')
}

const isPcm = (format: ReplyFormat): format is PcmFormat => format === 'wav' || format === 'pcm16'
