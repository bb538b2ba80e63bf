/** Coded recordings and replies. Their thread starts with the first of them and is replaced when one has ended it. */
import { CodecThread } from './codec-thread.js'
import type { CodedFormat, Decoded } from './protocol.js'

let current: CodecThread | undefined

function thread(): CodecThread {
  if (!current || current.ended) current = new CodecThread(new URL('./thread.js', import.meta.url))
  return current
}

/**
 * A recording in any format but WAV to mono samples.
 * @throws ServiceError `invalid_audio` or `audio_too_long`, a sentence's end about "the recording"; the signal's reason
 */
export function decodeCoded(bytes: Uint8Array, maxSeconds: number, signal: AbortSignal): Promise<Decoded> {
  return thread().ask({ kind: 'decode', bytes, maxSeconds }, signal)
}

/**
 * The bytes of a file, while its samples come; nothing at all if there are none.
 * @param pieces mono, at `sampleRate`; for opus 24000 Hz
 */
export async function* encodeCoded(
  pieces: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  format: CodedFormat,
  sampleRate: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const codecs = thread()
  const encoder = await codecs.ask({ kind: 'open', format, sampleRate }, signal)
  let open = true
  try {
    for await (const samples of pieces) {
      const bytes = await codecs.ask({ kind: 'write', encoder, samples }, signal)
      if (bytes.length > 0) yield bytes
    }
    open = false
    const rest = await codecs.ask({ kind: 'close', encoder }, signal)
    if (rest.length > 0) yield rest
  } finally {
    if (open && !codecs.ended) await codecs.ask({ kind: 'drop', encoder }, new AbortController().signal)
  }
}
