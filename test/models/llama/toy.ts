/**
 * A network for the scheduler's tests, whose next token depends on every row of state, so that any wrong row shows; and
 * a session on it that holds the scheduler to the contract of src/runtime/session.ts.
 */
import { setImmediate as turnOfEvents } from 'node:timers/promises'
import { decoder } from '#src/models/llama/bindings.js'
import type { Choice, Reply, Scores } from '#src/models/llama/work.js'
import {
  type Feeds,
  type Fetches,
  float32,
  type GraphSignature,
  int64,
  type Session,
  type SlotUse,
} from '#src/runtime/session.js'

export const VOCABULARY = 97
const TOP = 8
const EMPTY = 0x5eed

/** Well mixed 32 bits of numbers (after the finaliser of MurmurHash3). */
export function hash(...numbers: readonly number[]): number {
  let h = 0
  for (const number of numbers) {
    h = Math.imul(h ^ number, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    h ^= h >>> 16
  }
  return h >>> 0
}

/** Computes the rows of tokens as one run does; where it rounds, by how many rows were there and how many come. */
function compute(rows: number[], tokens: readonly number[], rounds: boolean): void {
  const rounding = rounds ? hash(rows.length, tokens.length) : 0
  // As in a real network each depends on all that is before it.
  for (const token of tokens) rows.push(hash(rows.at(-1) ?? EMPTY, token, rows.length, rounding))
}

/** The logits behind rows: of all of them. */
export function logitsOf(rows: readonly number[]): Float32Array {
  const all = rows.reduce((sum, row, i) => hash(sum, row, i), 0)
  return Float32Array.from({ length: VOCABULARY }, (_, token) => hash(all, token) / 2 ** 28)
}

const order = (logits: Float32Array): number[] => [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!)

function topOf(logits: Float32Array) {
  const ids = order(logits).slice(0, TOP)
  return {
    ids,
    logits: ids.map((id) => logits[id]!),
    logSumExp: Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)),
  }
}

/** What a run was: a piece of a prompt, or a step with all that took part. */
export interface ToyRun {
  readonly uses: readonly SlotUse[]
  /** New rows of each. */
  readonly rows: number
  readonly outputs: readonly string[]
}

export interface ToyOptions {
  /** Sequences share memory of so many rows, as on ONNX Runtime; else each slot has its own, as on TensorRT. */
  readonly sharedRows?: number
  readonly slots: number
  /** The most rows of a sequence. */
  readonly stateRows: number
  /** Whether what a row is depends on the piece that it is computed in, as with real kernels. */
  readonly rounds?: boolean
  /** Told before each run; what it throws is thrown by the run, after it has spoilt its slots' rows. */
  readonly onRun?: (run: ToyRun, index: number) => void
}

interface Place {
  capacity: number
  rows: number[]
}

export class ToySession implements Session {
  readonly signature: GraphSignature
  readonly runs: ToyRun[] = []
  /** How often memory was refused, rows were copied, slots computed in vain, and rows of a slot forgotten. */
  readonly counts = { refused: 0, copied: 0, idle: 0, forgotten: 0 }
  private readonly places = new Map<number, Place>()
  private lists: readonly (readonly number[])[] = []
  private isRunning = false
  disposed = false

  constructor(private readonly options: ToyOptions) {
    const { slots, stateRows, sharedRows } = options
    const output = (name: string) => ({ name, dtype: 'float32', dims: ['wanted', VOCABULARY] }) as const
    const tops = [decoder.topIds, decoder.topLogits, decoder.logSumExp]
    this.signature = {
      inputs: [],
      outputs: [decoder.logits, ...(sharedRows ? [] : tops)].map(output),
      state: [],
      stateRows,
      resident: [],
      slots: sharedRows ? 0 : slots,
      profiles: [],
    }
  }

  async run(feeds: Feeds, uses: readonly SlotUse[] = [], outputs: readonly string[] = []): Promise<Fetches> {
    if (this.isRunning) throw new Error('two runs at once')
    this.isRunning = true
    const { dims, data } = feeds[decoder.tokens]!
    const [batch, rows] = dims as [number, number]
    const run = { uses, rows, outputs }
    try {
      this.check(feeds, run)
      this.runs.push(run)
      await turnOfEvents()
      this.spoilIfTold(run)
      const all = uses.map(({ slot, past, idle }, i) => {
        const place = this.places.get(slot) ?? { capacity: this.options.stateRows, rows: [] }
        const own = place.rows.slice(0, past)
        compute(own, Array.from(data.slice(i * rows, (i + 1) * rows), Number), this.options.rounds === true)
        if (idle) place.rows.length = Math.min(place.rows.length, past)
        else place.rows = own
        return logitsOf(own)
      })
      return this.fetched(all, batch, outputs)
    } finally {
      this.isRunning = false
    }
  }

  together(slots: readonly number[]): number[][] {
    if (slots.length === 0 || new Set(slots).size < slots.length) throw new Error(`slots [${slots}]`)
    if (this.options.sharedRows) {
      const capacities = new Set(slots.map((slot) => this.places.get(slot)!.capacity))
      // Another order than that of asking, as moving rows in memory gives it.
      this.lists = [...capacities].map((capacity) =>
        slots.filter((slot) => this.places.get(slot)!.capacity === capacity).reverse(),
      )
    } else {
      const needed = Math.max(...slots) + 1
      this.lists = [
        Array.from({ length: Math.min(this.options.slots, 2 * Math.ceil(needed / 2)) }, (_, i) => i),
      ]
    }
    return this.lists.map((list) => [...list])
  }

  reserve(slot: number, rows: number): boolean {
    const { sharedRows, stateRows, slots } = this.options
    if (rows > stateRows || slot < 0 || slot >= slots) throw new Error(`${rows} rows for slot ${slot}`)
    const place = this.places.get(slot)
    if (place && place.capacity >= rows) return true
    let capacity = 16
    while (sharedRows && capacity < rows) capacity *= 2
    capacity = sharedRows ? Math.min(capacity, stateRows) : stateRows
    // While rows are moved, they are there twice.
    if (sharedRows && this.rowsTaken + capacity > sharedRows) {
      this.counts.refused++
      return false
    }
    this.places.set(slot, { capacity, rows: place?.rows ?? [] })
    this.lists = []
    return true
  }

  copy(from: number, to: number, rows: number): void {
    const [source, target] = [this.places.get(from), this.places.get(to)]
    if (!source || !target || from === to || rows > source.rows.length || rows > target.capacity)
      throw new Error(`${rows} rows can not be copied from slot ${from} to ${to}`)
    target.rows = source.rows.slice(0, rows)
    this.counts.copied++
  }

  release(slot: number): void {
    if (this.places.delete(slot)) this.counts.forgotten++
    this.lists = []
  }

  async dispose(): Promise<void> {
    if (this.isRunning) throw new Error('disposed of while it runs')
    this.disposed = true
  }

  get rowsTaken(): number {
    return [...this.places.values()].reduce((sum, { capacity }) => sum + capacity, 0)
  }

  private check(feeds: Feeds, { uses, rows, outputs }: ToyRun): void {
    const past = Array.from(feeds[decoder.pastLength]!.data, Number)
    if (past.join() !== uses.map((use) => use.past).join()) throw new Error('the feeds tell of other rows')
    const wanted = Array.from(feeds[decoder.logitRows]!.data, Number)
    if (wanted.join() !== uses.map((_, i) => (i + 1) * rows - 1).join())
      throw new Error('the last rows are wanted')
    if (uses.length > 1 && rows > 1) throw new Error('several sequences take one row each')
    const names = this.signature.outputs.map(({ name }) => name)
    if (!outputs.every((name) => names.includes(name))) throw new Error(`there are no outputs ${outputs}`)
    const list = uses.map(({ slot }) => slot).join()
    if (uses.length > 1 && !this.lists.some((known) => known.join() === list))
      throw new Error(`slots ${list} do not lie together`)
    for (const { slot, past, idle } of uses) {
      const place = this.places.get(slot)
      if (idle) {
        if (this.options.sharedRows || past >= this.options.stateRows || past < 0)
          throw new Error('no idle slot')
        this.counts.idle++
        continue
      }
      if (!place || past + rows > place.capacity) throw new Error(`${past + rows} rows of ${slot}: no room`)
      if (past > place.rows.length) throw new Error(`slot ${slot} has ${place.rows.length} rows, not ${past}`)
    }
  }

  private spoilIfTold(run: ToyRun): void {
    try {
      this.options.onRun?.(run, this.runs.length - 1)
    } catch (error) {
      for (const { slot, idle } of run.uses) if (!idle) this.places.get(slot)!.rows.fill(EMPTY)
      throw error
    }
  }

  private fetched(all: readonly Float32Array[], batch: number, outputs: readonly string[]): Fetches {
    const tops = all.map(topOf)
    const found: Fetches = {
      [decoder.logits]: float32(Float32Array.from(all.flatMap((row) => [...row])), [batch, VOCABULARY]),
      [decoder.topIds]: int64(
        tops.flatMap(({ ids }) => ids),
        [batch, TOP],
      ),
      [decoder.topLogits]: float32(Float32Array.from(tops.flatMap(({ logits }) => logits)), [batch, TOP]),
      [decoder.logSumExp]: float32(Float32Array.from(tops.map((top) => top.logSumExp)), [batch]),
    }
    return Object.fromEntries(outputs.map((name) => [name, found[name]!]))
  }
}

export interface ToyStyle {
  readonly seed: number
  readonly maxTokens: number
  /** Whether it needs whole rows always, or wants one now and then. */
  readonly rows?: 'always' | 'sometimes'
  /** Whether some tokens end it. */
  readonly stops?: boolean
  /** Told of every token. */
  readonly onToken?: (token: number, count: number) => void
}

const ends = (token: number): boolean => token % 16 === 5

/** Takes one of the three likeliest tokens. */
const rank = (seed: number, count: number): number => hash(seed, count) % 3

export class ToyReply implements Reply {
  readonly needsRow: boolean
  readonly tokens: number[] = []
  ended = false

  constructor(private readonly style: ToyStyle) {
    this.needsRow = style.rows === 'always'
  }

  next(scores: Scores): Choice {
    const { seed, maxTokens, rows, stops, onToken } = this.style
    if (this.ended) throw new Error('it has ended')
    if (scores.kind === 'top') {
      if (this.needsRow) throw new Error('the largest will not do')
      if (rows === 'sometimes' && hash(seed, this.tokens.length, 1) % 2 === 0) return { kind: 'row' }
      if (!(scores.logSumExp > scores.logits[0]!)) throw new Error('the sum has less than its largest part')
    }
    const ids = scores.kind === 'top' ? scores.ids : order(scores.logits)
    const token = ids[rank(seed, this.tokens.length)]!
    // It may edit the row, and nobody else must see that.
    if (scores.kind === 'row') scores.logits.fill(Number.NaN)
    const stopped = stops === true && ends(token)
    if (!stopped) {
      this.tokens.push(token)
      onToken?.(token, this.tokens.length)
    }
    this.ended = stopped || this.tokens.length === maxTokens
    return this.ended ? { kind: 'end' } : { kind: 'token', token }
  }
}

/**
 * The reply as it is when nothing else is there: without session and scheduler.
 * @param chunk the pieces of the prompt, where the network rounds by them
 */
export function alone(
  prompt: readonly number[],
  { seed, maxTokens, stops }: ToyStyle,
  chunk?: number,
): number[] {
  const rows: number[] = []
  for (let past = 0; past < prompt.length; past += chunk ?? prompt.length)
    compute(rows, prompt.slice(past, past + (chunk ?? prompt.length)), chunk !== undefined)
  const tokens: number[] = []
  while (tokens.length < maxTokens) {
    const token = order(logitsOf(rows))[rank(seed, tokens.length)]!
    if (stops && ends(token)) break
    tokens.push(token)
    compute(rows, [token], chunk !== undefined)
  }
  return tokens
}

/** Tokens of a prompt; those of one `seed` all begin alike. */
export const promptOf = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => hash(seed, i, 7) % VOCABULARY)
