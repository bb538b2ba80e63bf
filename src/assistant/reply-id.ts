/**
 * The id of a spoken reply carries its transcript, so that any replica, now or later, can continue the conversation
 * from `messages[].audio.id` without a store: `audio_` + base64url(zlib(transcript)).
 */
import { deflateSync, inflateSync } from 'node:zlib'
import { ServiceError } from '../errors.js'

const PREFIX = 'audio_'
/** Far above what MAX_REPLY_TOKENS lets a reply be, far below what a hostile id could unfold to. */
const MAX_TRANSCRIPT_BYTES = 1 << 20

export function replyId(transcript: string): string {
  return PREFIX + deflateSync(Buffer.from(transcript, 'utf8'), { level: 9 }).toString('base64url')
}

/** @throws ServiceError invalid_audio_id when the id is not one of {@link replyId}'s */
export function replyTranscript(id: string, param: string): string {
  const refused = (cause?: unknown) =>
    new ServiceError(
      'invalid_audio_id',
      'This audio id was not made by this service: send the id of a spoken reply unchanged, or the text itself as content.',
      param,
      { cause },
    )
  const body = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : ''
  if (!/^[A-Za-z0-9_-]+$/.test(body)) throw refused()
  try {
    const bytes = inflateSync(Buffer.from(body, 'base64url'), { maxOutputLength: MAX_TRANSCRIPT_BYTES })
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw refused(error)
  }
}
