/** An automaton over characters as arrays of numbers, which can cross to another thread, and its states by them. */
import { type TextMove, type TextState, textId } from './text-automaton.js'

/** States in the order in which they are reached, the start first. */
export interface TextTable {
  /** [states] 1 where the text may be complete. */
  readonly accepts: Uint8Array
  /** [states] {@link TextState.open}. */
  readonly open: Float64Array
  /** [states + 1] where a state's moves begin. */
  readonly firsts: Uint32Array
  /** [moves] the characters of a move, from and to, and the state that it leads to. */
  readonly lows: Uint32Array
  readonly highs: Uint32Array
  readonly targets: Uint32Array
}

export function tableOf(start: TextState): TextTable {
  const indices = new Map<TextState, number>([[start, 0]])
  const firsts: number[] = []
  const moves: TextMove[] = []
  // A map's loop sees what is added.
  for (const state of indices.keys()) {
    firsts.push(moves.length)
    for (const move of state.moves) {
      moves.push(move)
      if (!indices.has(move.to)) indices.set(move.to, indices.size)
    }
  }
  firsts.push(moves.length)
  const states = [...indices.keys()]
  return {
    accepts: Uint8Array.from(states, ({ accepts }) => Number(accepts)),
    open: Float64Array.from(states, ({ open }) => open),
    firsts: Uint32Array.from(firsts),
    lows: Uint32Array.from(moves, ({ low }) => low),
    highs: Uint32Array.from(moves, ({ high }) => high),
    targets: Uint32Array.from(moves, ({ to }) => indices.get(to)!),
  }
}

interface TableMove extends TextMove {
  readonly to: TableState
}

/** A state of a table; those that it leads to are made when they are asked for. */
export class TableState implements TextState {
  readonly id = textId()
  #moves: readonly TableMove[] | undefined

  private constructor(
    private readonly table: TextTable,
    readonly index: number,
    private readonly states: (TableState | undefined)[],
  ) {}

  static start(table: TextTable): TableState {
    const states: (TableState | undefined)[] = []
    states[0] = new TableState(table, 0, states)
    return states[0]
  }

  get accepts(): boolean {
    return this.table.accepts[this.index] === 1
  }

  get open(): number {
    return this.table.open[this.index]!
  }

  get moves(): readonly TableMove[] {
    if (this.#moves) return this.#moves
    const { firsts, lows, highs, targets } = this.table
    const [first, end] = [firsts[this.index]!, firsts[this.index + 1]!]
    this.#moves = Array.from({ length: end - first }, (_, i) => {
      const [low, high, target] = [lows[first + i]!, highs[first + i]!, targets[first + i]!]
      this.states[target] ??= new TableState(this.table, target, this.states)
      return { low, high, to: this.states[target] }
    })
    return this.#moves
  }
}

export const bytesOf = ({ accepts, open, firsts, lows, highs, targets }: TextTable): number =>
  [accepts, open, firsts, lows, highs, targets].reduce((sum, { byteLength }) => sum + byteLength, 0)
