/**
 * Whose prompt goes on. When several are being read, the one with the least left and the oldest take turns, so that a
 * short prompt waits for at most one chunk of a long one for each that it has itself (and for those that are shorter
 * still), and the oldest takes at most twice the chunks that it would take alone, however many short ones come.
 */
import { byArrival, type Sequence } from './sequence.js'

export class Turns {
  private shortWasLast = false

  /** @param sequences those whose prompts are not in, at least one */
  next(sequences: readonly Sequence[]): Sequence {
    const oldest = [...sequences].sort(byArrival)[0]!
    const shortest = [...sequences].sort((a, b) => a.missing - b.missing || byArrival(a, b))[0]!
    // One that comes while nobody contends has the first turn.
    this.shortWasLast = oldest !== shortest && !this.shortWasLast
    return this.shortWasLast ? shortest : oldest
  }
}
