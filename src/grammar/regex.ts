/** Regular expressions as automata over whole texts. As in JSON Schema, a pattern may match anywhere unless anchored. */
import { anyCharacter, type Characters } from './characters.js'
import { type Regex, readRegex } from './regex-syntax.js'
import { type Effort, explore, type TextState, TooComplex } from './text-automaton.js'

/**
 * The automaton of the texts that a pattern matches; undefined if there are none. PatternError where it can not be
 * followed; TooComplex where it would need too much memory or time.
 */
export function matching(pattern: string, effort: Effort): TextState | undefined {
  const graph = new Graph(effort)
  const before = graph.node()
  const found = graph.node()
  graph.move(before, anyCharacter, before)
  graph.move(found, anyCharacter, found)
  const start = graph.node()
  graph.empty(before, start)
  graph.draw(readRegex(pattern, effort), start, found)
  const subsets = {
    name: ({ name }: Subset) => name,
    accepts: ({ accepts }: Subset) => accepts,
    moves: (subset: Subset) => graph.moves(subset, found),
  }
  return explore(graph.first(before, found), subsets, effort)
}

interface Subset {
  readonly name: string
  readonly nodes: readonly number[]
  readonly accepts: boolean
}

const mostNodes = 30_000

/** Thompson's construction (1968), with edges that can be passed only at the start or the end of the text. */
class Graph {
  private readonly sets: { readonly set: Characters; readonly to: number }[][] = []
  private readonly free: number[][] = []
  private readonly atStart: number[][] = []
  private readonly atEnd: number[][] = []

  constructor(private readonly effort: Effort) {}

  node(): number {
    if (this.free.length === mostNodes) throw new TooComplex('repeats too much')
    this.sets.push([])
    this.atStart.push([])
    this.atEnd.push([])
    return this.free.push([]) - 1
  }

  move(from: number, set: Characters, to: number): void {
    this.sets[from]!.push({ set, to })
  }

  empty(from: number, to: number): void {
    this.free[from]!.push(to)
  }

  draw(regex: Regex, from: number, to: number): void {
    switch (regex.kind) {
      case 'characters':
        this.move(from, regex.set, to)
        return
      case 'start':
        this.atStart[from]!.push(to)
        return
      case 'end':
        this.atEnd[from]!.push(to)
        return
      case 'choice':
        for (const item of regex.items) this.draw(item, from, to)
        return
      case 'sequence': {
        let at = from
        for (const item of regex.items) {
          const next = this.node()
          this.draw(item, at, next)
          at = next
        }
        this.empty(at, to)
        return
      }
      case 'repeat':
        this.repeat(regex, from, to)
    }
  }

  private repeat({ item, least, most }: Extract<Regex, { kind: 'repeat' }>, from: number, to: number): void {
    let at = from
    for (let count = 0; count < least; count++) at = this.drawn(item, at)
    if (most === Infinity) {
      const loop = this.node()
      this.empty(at, loop)
      this.empty(this.drawn(item, loop), loop)
      this.empty(loop, to)
      return
    }
    for (let count = least; count < most; count++) {
      this.empty(at, to)
      at = this.drawn(item, at)
    }
    this.empty(at, to)
  }

  private drawn(item: Regex, from: number): number {
    const to = this.node()
    this.draw(item, from, to)
    return to
  }

  first(start: number, found: number): Subset {
    return this.subset([start], found, true)
  }

  /** The ways out of a subset: a sweep over the borders of its characters. */
  moves(subset: Subset, found: number): { low: number; high: number; to: Subset }[] {
    const borders: { at: number; to: number; step: 1 | -1 }[] = []
    for (const node of subset.nodes)
      for (const { set, to } of this.sets[node]!)
        for (const [low, high] of set) borders.push({ at: low, to, step: 1 }, { at: high + 1, to, step: -1 })
    borders.sort((a, b) => a.at - b.at)
    this.effort.spend(borders.length)
    const active = new Map<number, number>()
    const known = new Map<string, Subset>()
    const out: { low: number; high: number; to: Subset }[] = []
    for (let index = 0; index < borders.length; ) {
      const { at } = borders[index]!
      for (; borders[index]?.at === at; index++) {
        const { to, step } = borders[index]!
        const count = (active.get(to) ?? 0) + step
        if (count === 0) active.delete(to)
        else active.set(to, count)
      }
      if (active.size === 0) continue
      this.effort.spend(active.size)
      const name = [...active.keys()].sort((a, b) => a - b).join()
      const to = known.get(name) ?? this.subset([...active.keys()], found, false)
      known.set(name, to)
      out.push({ low: at, high: borders[index]!.at - 1, to })
    }
    return out
  }

  private subset(from: readonly number[], found: number, isStart: boolean): Subset {
    const inner = this.closure(from, isStart, false)
    const accepts = this.closure(inner, isStart, true).includes(found)
    const nodes = inner.includes(found) ? [found] : inner.filter((node) => this.matters(node))
    return { name: `${isStart ? 's' : ''}${nodes.join()}${accepts ? '.' : ''}`, nodes, accepts }
  }

  /** Nodes that only lead on to others add nothing to a closed set but work: unless the text may end behind them. */
  private matters(node: number): boolean {
    return this.sets[node]!.length > 0 || this.atEnd[node]!.length > 0
  }

  private closure(from: readonly number[], isStart: boolean, isEnd: boolean): number[] {
    const reached = new Set(from)
    for (const node of reached) {
      for (const to of this.free[node]!) reached.add(to)
      if (isStart) for (const to of this.atStart[node]!) reached.add(to)
      if (isEnd) for (const to of this.atEnd[node]!) reached.add(to)
    }
    this.effort.spend(reached.size)
    return [...reached].sort((a, b) => a - b)
  }
}
