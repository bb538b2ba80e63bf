/** Speaking: a text to sound. */
import type { Models } from './registry.js'

/** Pieces of mono float32 at the voice's sample rate, in order, each as soon as it is made. */
export async function* speak(
  models: Models,
  text: string,
  voice: string,
  signal: AbortSignal,
): AsyncGenerator<Float32Array> {
  for await (const event of models.kokoro.call({ text, voice, speed: 1 }, signal))
    if (event.kind === 'audio') yield event.samples
}
