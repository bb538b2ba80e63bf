/** Texts of so many characters, alone or of those that an automaton takes. */
import { anyCharacter } from './characters.js'
import type { Pool } from './pool.js'
import { closed } from './state.js'
import { type Effort, type TextMove, type TextState, textId } from './text-automaton.js'

/** Any text of `least` to `most` characters. */
export function textOfLength(least: number, most: number, pool: Pool): TextState {
  const owner = textId()
  const last = most === Infinity ? least : most
  const at = (length: number): TextState =>
    pool.get(`l${owner},${length}`, () => new Counted(length, { least, most, last, at }))
  return at(0)
}

interface Lengths {
  readonly least: number
  readonly most: number
  /** From here on, all lengths are one. */
  readonly last: number
  at(length: number): TextState
}

class Counted implements TextState {
  readonly id = textId()
  readonly accepts: boolean
  readonly open: number
  #moves: readonly TextMove[] | undefined

  constructor(
    private readonly length: number,
    private readonly lengths: Lengths,
  ) {
    this.accepts = length >= lengths.least
    this.open = lengths.most - length
  }

  get moves(): readonly TextMove[] {
    const { length, lengths } = this
    if (length >= lengths.most) return []
    this.#moves ??= anyCharacter.map(([low, high]) => {
      return { low, high, to: lengths.at(Math.min(length + 1, lengths.last)) }
    })
    return this.#moves
  }

  forget(): void {
    this.#moves = undefined
  }
}

/** Those texts of an automaton that have `least` to `most` characters; undefined if there are none. */
export function withLength(
  start: TextState,
  least: number,
  most: number,
  { pool, effort }: { readonly pool: Pool; readonly effort: Effort },
): TextState | undefined {
  if (least === 0 && most === Infinity) return start
  const lengths = new RemainingLengths(start, most, effort)
  if (!lengths.any(start, least, most)) return undefined
  const isShorter = lengths.any(start, 0, least - 1)
  const isLonger = most < Infinity && lengths.any(start, most + 1, Infinity)
  if (!isShorter && !isLonger) return start
  const owner = textId()
  // Without an upper bound, all lengths from the least on are one.
  const last = most === Infinity ? least : most
  const at = (state: TextState, length: number): TextState =>
    pool.get(`m${owner},${state.id},${length}`, () => new Measured(state, length, bounds))
  const bounds: Bounds = { least, most, last, lengths, at }
  return at(start, 0)
}

interface Bounds {
  readonly least: number
  readonly most: number
  readonly last: number
  readonly lengths: RemainingLengths
  at(state: TextState, length: number): TextState
}

class Measured implements TextState {
  readonly id = textId()
  readonly open: number
  readonly accepts: boolean
  #moves: readonly TextMove[] | undefined

  constructor(
    private readonly state: TextState,
    private readonly length: number,
    private readonly bounds: Bounds,
  ) {
    this.accepts = state.accepts && length >= bounds.least
    this.open = isAnythingBehind(state) ? bounds.most - length : closed
  }

  get moves(): readonly TextMove[] {
    if (this.#moves) return this.#moves
    const { least, most, last, lengths, at } = this.bounds
    const next = this.length + 1
    this.#moves = this.state.moves
      .filter(({ to }) => lengths.any(to, Math.max(0, least - next), most - next))
      .map(({ low, high, to }) => ({ low, high, to: at(to, Math.min(next, last)) }))
    return this.#moves
  }

  forget(): void {
    this.#moves = undefined
  }
}

/** Whether every text may follow, and end anywhere: then the length alone decides. */
function isAnythingBehind(state: TextState): boolean {
  const [first, ...others] = new Set(state.moves.map(({ to }) => to))
  return state.open === Infinity && state.accepts && first === state && others.length === 0
}

/** How many characters each state of an automaton still has before an end: sets of states by length, which repeat. */
class RemainingLengths {
  private readonly indices = new Map<TextState, number>()
  /** [length] states that come to an end after exactly so many characters. */
  private readonly sets: Uint8Array[] = []
  /** Behind the last set, those from here on come again; undefined where they are known only so far as asked. */
  private readonly repeatsFrom: number | undefined

  constructor(start: TextState, most: number, effort: Effort) {
    const states = [start]
    this.indices.set(start, 0)
    for (const state of states)
      for (const { to } of state.moves) if (!this.indices.has(to)) this.indices.set(to, states.push(to) - 1)
    const targets = states.map(({ moves }) => [...new Set(moves.map(({ to }) => this.indices.get(to)!))])
    const work = targets.reduce((sum, { length }) => sum + length + 1, 0)
    const seen = new Map<string, number>()
    let set = Uint8Array.from(states, ({ accepts }) => (accepts ? 1 : 0))
    for (let length = 0; length <= most + 1; length++) {
      const name = Buffer.from(set.buffer).toString('latin1')
      const known = seen.get(name)
      if (known !== undefined) {
        this.repeatsFrom = known
        break
      }
      effort.spend(work)
      seen.set(name, length)
      this.sets.push(set)
      const last = set
      set = Uint8Array.from(targets, (to) => (to.some((index) => last[index] === 1) ? 1 : 0))
    }
  }

  /** Whether `state` can come to an end after `least` to `most` characters; true where that is not known. */
  any(state: TextState, least: number, most: number): boolean {
    const index = this.indices.get(state)!
    const { sets, repeatsFrom } = this
    const turn = repeatsFrom === undefined ? 0 : sets.length - repeatsFrom
    // After a whole turn, nothing new comes.
    const last = Math.min(most, Math.max(least, sets.length) + turn)
    for (let length = least; length <= last; length++) {
      if (length >= sets.length && repeatsFrom === undefined) return true
      const at = length < sets.length ? length : repeatsFrom! + ((length - repeatsFrom!) % turn)
      if (sets[at]![index] === 1) return true
    }
    return false
  }
}
