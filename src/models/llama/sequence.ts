/** What is being written: the requests that are served, and the replies of each. */
import type { Slot } from './slots.js'
import type { Reply, Work } from './work.js'

/** A request, from its arrival to the end of its last reply. */
export class Request {
  /** Its replies that are not complete; until the prompt is in, only the first. */
  readonly sequences = new Set<Sequence>()
  /** Tokens of the prompt that were computed; null when the prompt is in. */
  computed: number | null = 0

  /**
   * @param arrival counts requests in the order of their arrival
   * @param settle ends the caller's waiting, with an error or without
   */
  constructor(
    readonly work: Work,
    readonly arrival: number,
    readonly settle: (error?: unknown) => void,
  ) {
    this.sequences.add(new Sequence(this, 0))
  }

  /** How many of its replies have a slot. */
  get running(): number {
    return [...this.sequences].filter(({ slot }) => slot).length
  }

  /** The prompt is in: all replies begin. */
  begin(): void {
    const { prompt, replies } = this.work
    const cached = Math.max(0, prompt.length - this.computed!)
    this.computed = null
    this.work.started(cached)
    for (let i = 1; i < replies.length; i++) this.sequences.add(new Sequence(this, i))
  }
}

/** A reply that is being written. */
export class Sequence {
  /** The prompt and the reply so far. */
  readonly tokens: number[]
  /** Where its rows are; null while it waits for a slot. */
  slot: Slot | null = null
  /** How often a younger one was given memory that was too little for this one. */
  passed = 0

  constructor(
    readonly request: Request,
    /** Which of the request's replies it is. */
    readonly index: number,
  ) {
    this.tokens = [...request.work.prompt]
  }

  get reply(): Reply {
    return this.request.work.replies[this.index]!
  }

  get reproducible(): boolean {
    return this.request.work.reproducible === true
  }

  get promptLength(): number {
    return this.request.work.prompt.length
  }

  /** How many of its tokens have no row yet. At least the last has none: what follows it is still to be asked. */
  get missing(): number {
    return this.tokens.length - (this.slot?.rows ?? 0)
  }

  /**
   * Whether it is next served by a step, and not by a chunk. A reply that has lost its rows gets them back by steps where
   * it is to be reproducible, since steps are what had made them.
   */
  get inSteps(): boolean {
    return this.missing === 1 || (this.reproducible && this.tokens.length - this.missing >= this.promptLength)
  }

  /** The tokens of its next chunk, of at most `most`. */
  chunk(most: number): number[] {
    const past = this.tokens.length - this.missing
    const end = this.reproducible ? this.promptLength : this.tokens.length
    return this.tokens.slice(past, Math.min(past + most, end))
  }
}

/** The order of arrival, and of a request's replies. */
export const byArrival = (a: Sequence, b: Sequence): number =>
  a.request.arrival - b.request.arrival || a.index - b.index
