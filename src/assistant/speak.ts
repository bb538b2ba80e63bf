/** Speaking: a text to sound. */
import type { Models } from './registry.js'

/** How to speak. */
export interface Manner {
  /** One of the model's own voices. */
  readonly voice: string
  /** 0.25 … 4; 1 is the voice's own. */
  readonly speed: number
}

/**
 * Pieces of mono float32 at the voice's sample rate, in order, each as soon as it is made. The voice works on one
 * passage at a time, and between passages for whoever else waits.
 */
export async function* speak(
  models: Models,
  passages: AsyncIterable<string>,
  manner: Manner,
  signal: AbortSignal,
): AsyncGenerator<Float32Array> {
  let continues = false
  for await (const text of passages) {
    for await (const event of models.kokoro.call({ text, ...manner, continues }, signal))
      if (event.kind === 'audio') yield event.samples
    continues = true
  }
}
