/** Texts of so many characters, alone or of those that an automaton takes. */
import { anyCharacter } from './characters.js'
import type { Pool } from './pool.js'
import { closed } from './state.js'
import { type Effort, type TextMove, type TextState, textId } from './text-automaton.js'
import { TableState, type TextTable, tableOf } from './text-table.js'

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

/** A state of {@link textOfLength}. */
export class Counted implements TextState {
  readonly id = textId()
  readonly accepts: boolean
  readonly open: number
  #moves: readonly TextMove[] | undefined

  constructor(
    private readonly length: number,
    readonly lengths: Lengths,
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

/** An automaton's texts of `least` to `most` characters, as far as they have to be told from others. */
export interface MeasuredTexts {
  readonly table: TextTable
  readonly least: number
  readonly most: number
  /** [lengths · states] 1 where a state comes to an end after exactly so many characters. */
  readonly ends: Uint8Array
  /** Behind the last length, those from here on come again; undefined where they are known only so far as asked. */
  readonly repeatsFrom: number | undefined
}

/** Those texts of an automaton that have `least` to `most` characters; undefined if there are none. */
export function withLength(
  start: TextState,
  least: number,
  most: number,
  { pool, effort }: { readonly pool: Pool; readonly effort: Effort },
): TextState | undefined {
  if (least === 0 && most === Infinity) return start
  const table = tableOf(start)
  const texts = { table, least, most, ...endsByLength(table, most, effort) }
  if (!comesToAnEnd(texts, 0, least, most)) return undefined
  const isShorter = comesToAnEnd(texts, 0, 0, least - 1)
  const isLonger = most < Infinity && comesToAnEnd(texts, 0, most + 1, Infinity)
  return isShorter || isLonger ? measured(texts, pool) : start
}

export function measured(texts: MeasuredTexts, pool: Pool): TextState {
  const { table, least, most } = texts
  const owner = textId()
  // Without an upper bound, all lengths from the least on are one.
  const last = most === Infinity ? least : most
  const at = (state: TableState, length: number): TextState =>
    pool.get(`m${owner},${state.index},${length}`, () => new Measured(state, length, { texts, last, at }))
  return at(TableState.start(table), 0)
}

interface Bounds {
  readonly texts: MeasuredTexts
  readonly last: number
  at(state: TableState, length: number): TextState
}

/** A state of {@link measured}. */
export class Measured implements TextState {
  readonly id = textId()
  readonly open: number
  readonly accepts: boolean
  #moves: readonly TextMove[] | undefined

  constructor(
    private readonly state: TableState,
    private readonly length: number,
    readonly bounds: Bounds,
  ) {
    const { least, most } = bounds.texts
    this.accepts = state.accepts && length >= least
    this.open = isAnythingBehind(state) ? most - length : closed
  }

  get moves(): readonly TextMove[] {
    if (this.#moves) return this.#moves
    const { texts, last, at } = this.bounds
    const next = this.length + 1
    const [least, most] = [Math.max(0, texts.least - next), texts.most - next]
    this.#moves = this.state.moves
      .filter(({ to }) => comesToAnEnd(texts, to.index, least, most))
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

/** How many characters each state still has before an end: sets of states by length, which repeat. */
function endsByLength(
  { accepts, firsts, targets }: TextTable,
  most: number,
  effort: Effort,
): Pick<MeasuredTexts, 'ends' | 'repeatsFrom'> {
  const reached = Array.from(accepts, (_, state) => [
    ...new Set(targets.subarray(firsts[state], firsts[state + 1])),
  ])
  const work = reached.reduce((sum, { length }) => sum + length + 1, 0)
  const seen = new Map<string, number>()
  const sets: Uint8Array[] = []
  let set = accepts
  for (let length = 0; length <= most + 1; length++) {
    const name = Buffer.from(set.buffer).toString('latin1')
    const repeatsFrom = seen.get(name)
    if (repeatsFrom !== undefined) return { ends: joined(sets), repeatsFrom }
    effort.spend(work)
    seen.set(name, length)
    sets.push(set)
    const last = set
    set = Uint8Array.from(reached, (to) => (to.some((state) => last[state] === 1) ? 1 : 0))
  }
  return { ends: joined(sets), repeatsFrom: undefined }
}

function joined(sets: readonly Uint8Array[]): Uint8Array {
  const states = sets[0]?.length ?? 0
  const all = new Uint8Array(sets.length * states)
  for (const [index, set] of sets.entries()) all.set(set, index * states)
  return all
}

/** Whether a state can come to an end after `least` to `most` characters; true where that is not known. */
function comesToAnEnd(
  { table, ends, repeatsFrom }: MeasuredTexts,
  state: number,
  least: number,
  most: number,
): boolean {
  const states = table.accepts.length
  const lengths = ends.length / states
  const turn = repeatsFrom === undefined ? 0 : lengths - repeatsFrom
  // After a whole turn, nothing new comes.
  const last = Math.min(most, Math.max(least, lengths) + turn)
  for (let length = least; length <= last; length++) {
    if (length >= lengths && repeatsFrom === undefined) return true
    const at = length < lengths ? length : repeatsFrom! + ((length - repeatsFrom!) % turn)
    if (ends[at * states + state] === 1) return true
  }
  return false
}
