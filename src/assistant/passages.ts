/** A text that is still being written, cut into passages to speak one by one. */
import { EventQueue } from '../runtime/event-queue.js'
import { SentenceStream } from '../text/sentences.js'

/**
 * In characters. A sentence shorter than `short` sounds rushed or flat alone, so it shares a passage with a neighbour as
 * long as both are no longer than `joined`.
 */
const short = 20
const joined = 100

/**
 * Written by one, read by one. A passage is one sentence or a few very short ones. The first is there with its last
 * word, so that speaking can begin; each later one waits for the sentence behind it, which may be too short to stand
 * alone. The passages depend on the text, not on the pieces or the times at which it comes.
 */
export class Passages {
  private readonly sentences = new SentenceStream()
  private readonly ready = new EventQueue<string>()
  private held = ''
  private begun = false

  push(text: string): void {
    this.take(this.sentences.push(text))
  }

  end(): void {
    this.take(this.sentences.end())
    if (this.held !== '') this.release()
    this.ready.end()
  }

  /** The passages as they become ready. @throws the signal's reason, also while it waits */
  read(signal: AbortSignal): AsyncGenerator<string> {
    return this.ready.read(signal)
  }

  private take(sentences: readonly string[]): void {
    for (const sentence of sentences) {
      const together = this.held === '' ? sentence : `${this.held} ${sentence}`
      const tooShort = Math.min(this.held.length, sentence.length) < short
      if (this.held !== '' && (!tooShort || together.length > joined)) {
        this.release()
        this.held = sentence
      } else this.held = together
      if (!this.begun && this.held.length >= short) this.release()
    }
  }

  private release(): void {
    this.ready.push(this.held)
    this.held = ''
    this.begun = true
  }
}
