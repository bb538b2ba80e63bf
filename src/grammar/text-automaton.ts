/** Deterministic automata over characters, every state of which can still come to an end. */
import { type Characters, common } from './characters.js'
import { closed } from './state.js'

export interface TextState {
  readonly id: number
  /** Whether the text may be complete here. */
  readonly accepts: boolean
  /** Ascending, apart from each other; no way leads where no text can be completed. */
  readonly moves: readonly TextMove[]
  /** As {@link State.open} of state.ts. */
  readonly open: number
}

export interface TextMove {
  readonly low: number
  readonly high: number
  readonly to: TextState
}

let texts = 0
export const textId = (): number => ++texts

/** The state after a character; undefined where it can not come. */
export function moveOn(from: TextState, code: number): TextState | undefined {
  let [low, high] = [0, from.moves.length - 1]
  while (low <= high) {
    const middle = (low + high) >>> 1
    const move = from.moves[middle]!
    if (code < move.low) high = middle - 1
    else if (code > move.high) low = middle + 1
    else return move.to
  }
  return undefined
}

/** Whether any character of the range can come. */
export function canMove(from: TextState, low: number, high: number): boolean {
  return from.moves.some((move) => move.low <= high && move.high >= low)
}

/** An automaton too big to be made; the message reads on behind the name of a keyword. */
export class TooComplex extends Error {
  override readonly name = 'TooComplex'
}

/** What may be spent on one grammar, most of it on automata, in steps of about a tenth of a microsecond. */
export class Effort {
  spent = 0

  /** TooComplex when all is spent. */
  spend(steps: number): void {
    this.spent += steps
    if (this.spent > mostSteps) throw new TooComplex('makes the schema too complex')
  }
}

const mostStates = 10_000
const mostSteps = 3_000_000

export interface Explored<Key> {
  /** A name that equal states share. */
  name(key: Key): string
  accepts(key: Key): boolean
  /** Ascending, apart from each other. */
  moves(key: Key): readonly { readonly low: number; readonly high: number; readonly to: Key }[]
}

/** Makes all states that can be reached and can come to an end; undefined if the first can not. TooComplex beyond bounds. */
export function explore<Key>(first: Key, by: Explored<Key>, effort: Effort): TextState | undefined {
  const indices = new Map<string, number>()
  const keys: Key[] = []
  const indexOf = (key: Key): number => {
    const name = by.name(key)
    const known = indices.get(name)
    if (known !== undefined) return known
    if (keys.length === mostStates) throw new TooComplex(`needs more than ${mostStates} states`)
    indices.set(name, keys.length)
    return keys.push(key) - 1
  }
  indexOf(first)
  const moves: { low: number; high: number; to: number }[][] = []
  const before: number[][] = []
  for (let index = 0; index < keys.length; index++) {
    const out: { low: number; high: number; to: number }[] = []
    for (const move of by.moves(keys[index]!)) {
      const to = indexOf(move.to)
      const last = out.at(-1)
      if (last && last.to === to && last.high === move.low - 1) last.high = move.high
      else out.push({ low: move.low, high: move.high, to })
      const from = before[to] ?? []
      before[to] = from
      from.push(index)
    }
    effort.spend(40 + 4 * out.length)
    moves.push(out)
  }
  const accepts = keys.map((key) => by.accepts(key))
  const alive = new Set(accepts.flatMap((accepting, index) => (accepting ? [index] : [])))
  for (const index of alive) for (const from of before[index] ?? []) alive.add(from) // a set's loop sees what is added
  if (!alive.has(0)) return undefined
  const built = keys.map((_, index) => ({
    id: textId(),
    accepts: accepts[index]!,
    moves: [] as TextMove[],
    open: closed,
  }))
  for (const index of alive)
    built[index]!.moves = moves[index]!.filter(({ to }) => alive.has(to)).map(({ low, high, to }) => ({
      low,
      high,
      to: built[to]!,
    }))
  markOpen([...alive].map((index) => built[index]!))
  return built[0]
}

/** What JSON strings have as it is and tokens have inside (line separators are set apart, as `.` sets them apart). */
export const plainCharacters: Characters = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x2027],
  [0x202a, 0xd7ff],
  [0xe000, 0x10ffff],
]
const sizeOf = (set: Characters) => set.reduce((sum, [low, high]) => sum + high - low + 1, 0)
const plainSize = sizeOf(plainCharacters)

/**
 * Finds how many plain characters can be read from each state, where it does not matter which: 0 where none can,
 * one more than all states that they lead to, and without end where those lead back.
 */
function markOpen(states: readonly { moves: readonly TextMove[]; open: number }[]): void {
  const targets = new Map<TextState, readonly TextState[]>()
  const sources = new Map<TextState, TextState[]>()
  const ended: TextState[] = []
  const uneven = new Set<TextState>()
  for (const state of states as readonly TextState[]) {
    const plain = state.moves.filter(({ low, high }) => common([[low, high]], plainCharacters).length > 0)
    const to = [...new Set(plain.map((move) => move.to))]
    targets.set(state, to)
    for (const target of to) sources.set(target, [...(sources.get(target) ?? []), state])
    if (to.length === 0) ended.push(state)
    else if (
      sizeOf(
        common(
          plain.map(({ low, high }) => [low, high]),
          plainCharacters,
        ),
      ) < plainSize
    )
      uneven.add(state)
  }
  // From those that end, backwards, level by level.
  const known = new Map<TextState, number>(ended.map((state) => [state, 0]))
  for (const state of known.keys()) {
    for (const source of sources.get(state) ?? []) {
      const levels = targets.get(source)!.map((target) => known.get(target))
      if (uneven.has(source) || levels.some((level) => level !== levels[0])) continue
      if (levels[0] !== undefined) known.set(source, levels[0] + 1)
    }
  }
  // What can come to another kind of state is of no kind; what is left goes on for ever.
  const bounded = new Set<TextState>([...known.keys(), ...uneven])
  for (const state of bounded) for (const source of sources.get(state) ?? []) bounded.add(source)
  for (const state of states as readonly { moves: readonly TextMove[]; open: number }[])
    state.open = known.get(state as TextState) ?? (bounded.has(state as TextState) ? closed : Infinity)
}

/** Texts that both automata take. */
export function intersect(a: TextState, b: TextState, effort: Effort): TextState | undefined {
  const both = {
    name: ([left, right]: Pair) => `${left.id},${right.id}`,
    accepts: ([left, right]: Pair) => left.accepts && right.accepts,
    moves: ([left, right]: Pair) => {
      const moves: { low: number; high: number; to: Pair }[] = []
      for (let i = 0, j = 0; i < left.moves.length && j < right.moves.length; ) {
        const [x, y] = [left.moves[i]!, right.moves[j]!]
        const low = Math.max(x.low, y.low)
        const high = Math.min(x.high, y.high)
        if (low <= high) moves.push({ low, high, to: [x.to, y.to] })
        if (x.high < y.high) i++
        else j++
      }
      return moves
    },
  }
  return explore<Pair>([a, b], both, effort)
}

type Pair = readonly [TextState, TextState]
