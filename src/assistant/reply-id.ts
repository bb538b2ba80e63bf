/**
 * The id of a spoken reply carries its transcript, so that any replica, now or later, can continue the conversation
 * from `messages[].audio.id` without a store: `audio_` + base64url(zlib(transcript)).
 */
import { deflateSync, inflateSync } from 'node:zlib'
import { ServiceError } from '../errors.js'

const PREFIX = 'audio_'
/**
 * Of all ids of a request together: far above what a conversation's context holds, far below what hostile ids
 * could unfold to.
 */
const MAX_TRANSCRIPT_BYTES = 1 << 20

/** Reply ids never expire (they carry their transcript), but OpenAI's field wants a time: 30 days. */
const EXPIRES_SECONDS = 30 * 24 * 3600

/** @param created in seconds since 1970, as the result */
export const expiry = (created: number): number => created + EXPIRES_SECONDS

export function replyId(transcript: string): string {
  return PREFIX + deflateSync(Buffer.from(transcript, 'utf8'), { level: 9 }).toString('base64url')
}

/**
 * @param usedBytes what the request's other ids have unfolded to so far, in UTF-8
 * @throws ServiceError invalid_audio_id when the id is not one of {@link replyId}'s, or the sum becomes too large
 */
export function replyTranscript(id: string, param: string, usedBytes = 0): string {
  const refused = (what: string, cause?: unknown) =>
    new ServiceError('invalid_audio_id', what, param, { cause })
  const foreign =
    'This audio id was not made by this service: send the id of a spoken reply unchanged, or the text itself as content.'
  const tooLong = `${param}: the transcripts of this request's audio ids are together longer than ${MAX_TRANSCRIPT_BYTES} bytes, the limit`
  const left = MAX_TRANSCRIPT_BYTES - usedBytes

  const body = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : ''
  if (!/^[A-Za-z0-9_-]+$/.test(body)) throw refused(foreign)
  let bytes: Uint8Array
  try {
    // zlib knows no limit of 0.
    bytes = inflateSync(Buffer.from(body, 'base64url'), { maxOutputLength: Math.max(1, left) })
  } catch (error) {
    throw refused(isTooLarge(error) ? tooLong : foreign, error)
  }
  if (bytes.length > left) throw refused(tooLong)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw refused(foreign, error)
  }
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
