/** Hearing: recordings to text. */
import type { TranscribeRequest } from '../models/whisper/transcribe.js'
import type { Models } from './registry.js'

export interface Transcript {
  /** Without outer blanks. */
  readonly text: string
  readonly language: string
  readonly seconds: number
  /** Tokens that Whisper wrote. */
  readonly tokens: number
}

/** The transcript of one whole recording. */
export async function hear(
  models: Models,
  request: TranscribeRequest,
  signal: AbortSignal,
): Promise<Transcript> {
  for await (const event of models.whisper.call(request, signal))
    if (event.kind === 'end')
      return {
        text: event.text.trim(),
        language: event.language,
        seconds: event.seconds,
        tokens: event.tokens,
      }
  throw new Error('the transcription ended without its last event')
}
