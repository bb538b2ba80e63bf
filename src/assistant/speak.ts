/** Speaking: a text to sound. */
import { Passages } from './passages.js'
import type { Models } from './registry.js'

/** How to speak. */
export interface Manner {
  /** One of the model's own voices. */
  readonly voice: string
  /** 0.25 … 4; 1 is the voice's own. */
  readonly speed: number
}

export type SpokenEvent =
  /** Mono float32 at the voice's sample rate, in order, as soon as it is made. */
  | { readonly kind: 'audio'; readonly samples: Float32Array }
  /** A passage is spoken; it had so many characters of the voice's alphabet. */
  | { readonly kind: 'passage'; readonly symbols: number }

/** The voice works on one passage at a time, and between passages for whoever else waits. */
export async function* speak(
  models: Models,
  passages: AsyncIterable<string>,
  manner: Manner,
  signal: AbortSignal,
): AsyncGenerator<SpokenEvent> {
  let continues = false
  for await (const text of passages) {
    for await (const event of models.kokoro.call({ text, ...manner, continues }, signal))
      if (event.kind === 'audio') yield { kind: 'audio', samples: event.samples }
      else yield { kind: 'passage', symbols: event.symbols }
    continues = true
  }
}

/** A text that is there as a whole. */
export function speakText(
  models: Models,
  text: string,
  manner: Manner,
  signal: AbortSignal,
): AsyncGenerator<SpokenEvent> {
  const passages = new Passages()
  passages.push(text)
  passages.end()
  return speak(models, passages.read(signal), manner, signal)
}
