/**
 * The one thing that the matcher knows of a grammar: states of deterministic automata, which read bytes and special
 * tokens, and may call other automata. Everything else (text, numbers, objects) is a kind of state.
 */

/** An automaton that another one can call. */
export interface Callee {
  readonly start: State
  /** A callee's start calls only callees of a lower level, so that callers that meet at one place are gathered once. */
  readonly level: number
}

/** At this state another automaton may run, after which the caller is at `behind`. */
export interface Call {
  readonly callee: Callee
  readonly behind: State
}

/** What {@link State.open} says of most states: each token must be tried. */
export const closed = -1

let states = 0
const none: readonly never[] = []

/**
 * Where bytes lead from a state, as far as that is worked out. The walk over all tokens is made of these: for objects of
 * one class it is some times as fast as for all the kinds of state.
 */
export class Exits {
  #after: (Exits | null)[] = []
  #isInner: boolean | undefined

  constructor(readonly state: State) {}

  /** Null where the byte can not come. */
  after(byte: number): Exits | null {
    const known = this.#after[byte]
    if (known !== undefined) return known
    const exits = this.state.read(byte)?.exits ?? null
    this.#after[byte] = exits
    return exits
  }

  /** Neither an end nor a call: the stack below does not matter. */
  get isInner(): boolean {
    this.#isInner ??= !this.state.accepts && this.state.calls.length === 0
    return this.#isInner
  }

  forget(): void {
    this.#after = []
  }
}

export abstract class State {
  readonly id = ++states
  /** Whether the automaton's text may end here. */
  abstract readonly accepts: boolean
  /** Whether anything can be read here. */
  abstract readonly reads: boolean
  /**
   * Inside a JSON string: a text without quotes, backslashes and control characters can be read here exactly if it
   * has at most this many characters. {@link closed}: not known.
   */
  readonly open: number = closed
  /** Automata that may run here. */
  get calls(): readonly Call[] {
    return none
  }
  /** Special tokens that can be read here. */
  get specials(): readonly number[] {
    return none
  }
  /** Whether every special token can be read here: text without form. */
  readonly anySpecial: boolean = false
  /** Nothing but the end: a call that leads here needs no place to come back to. */
  get isEnd(): boolean {
    return this.accepts && !this.reads && this.calls.length === 0
  }
  readonly exits = new Exits(this)

  /** The state after a byte; null where it can not come. */
  next(byte: number): State | null {
    return this.exits.after(byte)?.state ?? null
  }

  /** The state after a special token; null where it can not come. */
  nextSpecial(_token: number): State | null {
    return null
  }

  /** Forgets what was worked out; it is worked out again when needed. */
  forget(): void {
    this.exits.forget()
  }

  /** @internal The state after a byte, worked out anew. */
  abstract read(byte: number): State | null
}
