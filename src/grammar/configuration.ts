/**
 * Where a text stands in a grammar: a set of threads, each a state and the stack of calls below it.
 *
 * Calls of one automaton that are made at the same place of the text share one run, whose stack remembers all callers
 * (a graph-structured stack, Tomita 1987): however ambiguous a grammar is, the work for a byte stays polynomial.
 */
import type { Pool } from './pool.js'
import type { Callee, State } from './state.js'

interface Frame {
  /** Where the caller goes on. */
  readonly state: State
  readonly below: Stack
}

let stacks = 0

/** Who called; equal stacks of one pool are the same object. */
export class Stack {
  readonly id = ++stacks
  readonly #landings = new Map<State, Configuration>()
  #age = 0

  constructor(
    readonly frames: readonly Frame[],
    /** Whether the whole text may end where this run ends. */
    readonly isBottom: boolean,
  ) {}

  /** Where threads with this stack have come to. A reply may hold a stack for long after the pool has let it go. */
  landings({ age }: Pool): Map<State, Configuration> {
    if (this.#age !== age) this.#landings.clear()
    this.#age = age
    return this.#landings
  }

  forget(): void {
    this.#landings.clear()
  }
}

export interface Thread {
  readonly state: State
  readonly stack: Stack
}

export interface Configuration {
  /** Those that can still read; in no order. */
  readonly threads: readonly Thread[]
  /** Whether the whole text may end here. */
  readonly ends: boolean
}

/** The configuration in which nothing has been read. */
export function initial(callee: Callee, pool: Pool): Configuration {
  return settle([{ state: callee.start, stack: stackOf([], true, pool) }], pool)
}

/** The configuration after a byte; undefined where it can not come. */
export function after(at: Configuration, byte: number, pool: Pool): Configuration | undefined {
  if (at.threads.length === 1) {
    const { state, stack } = at.threads[0]!
    const next = state.next(byte)
    return next ? landed(next, stack, pool) : undefined
  }
  return moved(at, (state) => state.next(byte), pool)
}

/** The configuration after a special token; undefined where it can not come. */
export function afterSpecial(at: Configuration, token: number, pool: Pool): Configuration | undefined {
  return moved(at, (state) => state.nextSpecial(token), pool)
}

/** The configuration of a single thread that has just come to a state. */
export function landed(state: State, stack: Stack, pool: Pool): Configuration {
  const landings = stack.landings(pool)
  let configuration = landings.get(state)
  if (!configuration) {
    configuration = settle([{ state, stack }], pool)
    landings.set(state, configuration)
  }
  return configuration
}

/** A name that equal configurations share. */
export function nameOf({ threads, ends }: Configuration): string {
  const names = threads.map(({ state, stack }) => `${state.id}:${stack.id}`)
  return `${names.sort().join()}${ends ? '.' : ''}`
}

function moved(
  at: Configuration,
  move: (state: State) => State | null,
  pool: Pool,
): Configuration | undefined {
  const threads: Thread[] = []
  for (const { state, stack } of at.threads) {
    const next = move(state)
    if (next) threads.push({ state: next, stack })
  }
  return threads.length === 0 ? undefined : settle(threads, pool)
}

/** Follows returns and calls until every thread reads. */
function settle(arrived: readonly Thread[], pool: Pool): Configuration {
  const seen = new Map<string, Thread>()
  const callers = new Map<Callee, { frames: Frame[]; isBottom: boolean }>()
  const waiting = [...arrived]
  let ends = false
  for (;;) {
    for (let thread = waiting.pop(); thread; thread = waiting.pop()) {
      const { state, stack } = thread
      const name = `${state.id}:${stack.id}`
      if (seen.has(name)) continue
      seen.set(name, thread)
      if (state.accepts) {
        ends ||= stack.isBottom
        for (const frame of stack.frames) waiting.push({ state: frame.state, stack: frame.below })
      }
      for (const { callee, behind } of state.calls) {
        const from = callers.get(callee) ?? { frames: [], isBottom: false }
        callers.set(callee, from)
        if (behind.isEnd) {
          from.frames.push(...stack.frames)
          from.isBottom ||= stack.isBottom
        } else from.frames.push({ state: behind, below: stack })
      }
    }
    const next = [...callers].reduce<[Callee, { frames: Frame[]; isBottom: boolean }] | undefined>(
      (highest, entry) => (highest && highest[0].level >= entry[0].level ? highest : entry),
      undefined,
    )
    if (!next) break
    const [callee, { frames, isBottom }] = next
    callers.delete(callee)
    waiting.push({ state: callee.start, stack: stackOf(frames, isBottom, pool) })
  }
  return { threads: [...seen.values()].filter(({ state }) => state.reads), ends }
}

function stackOf(frames: readonly Frame[], isBottom: boolean, pool: Pool): Stack {
  const byName = new Map(frames.map((frame) => [`${frame.state.id}:${frame.below.id}`, frame]))
  const names = [...byName.keys()].sort()
  return pool.get(
    `s${names.join()}${isBottom ? '.' : ''}`,
    () =>
      new Stack(
        names.map((name) => byName.get(name)!),
        isBottom,
      ),
  )
}
