/**
 * Continuous batching: every step serves all running sequences, and between two steps one chunk of a prompt is read, so
 * that replies keep flowing while others begin. It knows tokens, slots and rows; no text.
 *
 * Sequences get slots in the order of arrival, though a request has its second only when none waits for its first. One
 * that finds no memory waits; younger ones that fit may go ahead of it a few times. When a running sequence finds none
 * for its next row, the newest waits: its rows are dropped and computed again later.
 */
import { setImmediate as turnOfEvents } from 'node:timers/promises'
import { ServiceError } from '../../errors.js'
import type { Session } from '../../runtime/session.js'
import { byArrival, Request, type Sequence } from './sequence.js'
import { Slots } from './slots.js'
import { Steps } from './steps.js'
import { Turns } from './turns.js'
import type { Scores, Work } from './work.js'

export interface SchedulerOptions {
  /** Sequences that run together. */
  readonly slots: number
  /** Tokens that a prompt and its reply may have in sum. */
  readonly context: number
  /** Tokens of a prompt that are read between two steps. */
  readonly chunk: number
}

/** How often a sequence may be passed over for want of memory before it has to be next. */
const MOST_PASSED = 8

export class Scheduler {
  private readonly slots: Slots
  private readonly steps: Steps
  private readonly turns = new Turns()
  /** In the order of arrival. */
  private readonly requests = new Set<Request>()
  private arrivals = 0
  private isServing = false
  private serving = Promise.resolve()

  /** @param session of the decoder, the scheduler's own from here on */
  constructor(
    private readonly session: Session,
    private readonly options: SchedulerOptions,
  ) {
    this.slots = new Slots(session, options)
    this.steps = new Steps(session)
  }

  /**
   * Serves a request until all its replies are complete.
   * @throws what a reply or a step that it took part in threw, or the reason of its signal
   */
  async run(work: Work): Promise<void> {
    const { prompt, replies, maxTokens, signal } = work
    signal.throwIfAborted()
    if (prompt.length === 0 || prompt.length + maxTokens > this.options.context)
      throw new Error(
        `a prompt of ${prompt.length} and ${maxTokens} tokens in a context of ${this.options.context}`,
      )
    if (replies.length === 0) throw new Error('a request without replies')
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error))
      this.requests.add(new Request(work, this.arrivals++, settle))
      if (!this.isServing) this.serving = this.serve()
    })
  }

  /** Ends what is running. */
  async dispose(): Promise<void> {
    for (const request of this.requests) this.end(request, new Error('the scheduler is closed'))
    await this.serving
    await this.session.dispose()
  }

  private async serve(): Promise<void> {
    this.isServing = true
    try {
      while (this.requests.size > 0) {
        // A run holds the thread: what came meanwhile is to be known before the next is chosen.
        await turnOfEvents()
        this.endCancelled()
        this.giveSlots()
        await this.readPrompt()
        this.endCancelled()
        await this.step()
      }
    } catch (error) {
      for (const request of this.requests) this.end(request, error)
    } finally {
      this.isServing = false
    }
  }

  private endCancelled(): void {
    for (const request of this.requests) {
      const { signal } = request.work
      if (signal.aborted) this.end(request, signal.reason)
    }
  }

  private giveSlots(): void {
    const passed: Sequence[] = []
    while (this.slots.owners.length < this.options.slots) {
      const sequence = this.nextWaiting(passed)
      if (!sequence) return
      if (this.slots.place(sequence)) {
        sequence.passed = 0
        for (const other of passed) other.passed++
      } else if (this.slots.owners.length === 0) this.end(sequence.request, noMemory(sequence.tokens.length))
      else if (sequence.passed >= MOST_PASSED) return
      else passed.push(sequence)
    }
  }

  /** The next that has no slot: of each request its first, since where that finds no memory the others find none. */
  private nextWaiting(passed: readonly Sequence[]): Sequence | undefined {
    const waiting = [...this.requests]
      .filter((request) => !passed.some((sequence) => sequence.request === request))
      .flatMap(({ sequences }) => [...sequences].find(({ slot }) => !slot) ?? [])
    return waiting.sort((a, b) => a.request.running - b.request.running || byArrival(a, b))[0]
  }

  /** The next chunk of a prompt. */
  private async readPrompt(): Promise<void> {
    const reading = this.slots.owners.filter(({ inSteps }) => !inSteps)
    if (reading.length === 0) return
    const sequence = this.turns.next(reading)
    this.slots.catchUp(sequence)
    if (sequence.inSteps) return
    const { request, tokens, slot } = sequence
    const { index, rows: past } = slot!
    const chunk = sequence.chunk(this.options.chunk)
    const isLast = past + chunk.length === tokens.length
    try {
      const scores = await this.steps.prefill(chunk, { slot: index, past }, isLast)
      if (!sequence.slot) return
      this.count(sequence, chunk.length)
      if (!scores) return
      const asked = this.begun(sequence, scores)
      if (!asked.every((one) => this.take(one.sequence, one.scores))) this.end(request, noMore())
    } catch (error) {
      this.fail([index], error)
    }
  }

  /** One more token of every sequence that is not being read. */
  private async step(): Promise<void> {
    const ready = this.slots.owners.filter(({ inSteps }) => inSteps).sort(byArrival)
    for (const sequence of ready) this.makeRoom(sequence)
    const left = new Map(
      ready.flatMap((sequence) => (sequence.slot ? [[sequence.slot.index, sequence]] : [])),
    )
    while (left.size > 0) {
      const [list] = this.session.together([...left.keys()])
      await this.decode(list!, left)
      for (const slot of list!) left.delete(slot)
      this.endCancelled()
      // What has ended with its request is not run.
      for (const [slot, sequence] of left) if (!sequence.slot) left.delete(slot)
    }
  }

  private makeRoom(sequence: Sequence): void {
    while (sequence.slot && !this.slots.grow(sequence))
      this.slots.drop(this.slots.owners.sort(byArrival).at(-1)!)
  }

  /** Runs the slots of a list and lets their replies choose. */
  private async decode(list: readonly number[], sequences: ReadonlyMap<number, Sequence>): Promise<void> {
    const running = list.flatMap((slot, row) => {
      const sequence = sequences.get(slot)
      return sequence ? [{ sequence, row }] : []
    })
    const batch = list.map((slot) => {
      const tokens = sequences.get(slot)?.tokens
      const past = this.slots.all[slot]!.rows
      return tokens ? { slot, past, token: tokens[past]! } : { slot, past, token: 0, idle: true }
    })
    const wantsRow = ({ request, reply }: Sequence) =>
      (request.computed === null ? [reply] : request.work.replies).some(({ needsRow }) => needsRow)
    const whole = running.some(({ sequence }) => wantsRow(sequence))
    try {
      const scores = await this.steps.decode(batch, whole)
      for (const { sequence } of running) if (sequence.slot) this.count(sequence, 1)
      const asked = running.flatMap(({ sequence, row }) =>
        sequence.slot && sequence.missing === 0
          ? this.begun(sequence, scores[row]!).map((one) => ({ ...one, row }))
          : [],
      )
      const again = asked.filter((one) => !this.take(one.sequence, one.scores))
      if (again.length === 0) return
      const rows = await this.steps.decode(batch, true)
      for (const { sequence, row } of again)
        if (!this.take(sequence, copied(rows[row]!))) this.end(sequence.request, noMore())
    } catch (error) {
      this.fail(
        running.map(({ row }) => list[row]!),
        error,
      )
    }
  }

  private count(sequence: Sequence, rows: number): void {
    const { request } = sequence
    this.slots.written(sequence, rows)
    if (request.computed !== null) request.computed += rows
  }

  /** Who is to choose by the scores behind a sequence: it alone, or all replies where they are those of the prompt. */
  private begun(sequence: Sequence, scores: Scores): { sequence: Sequence; scores: Scores }[] {
    const { request } = sequence
    if (request.computed === null) return [{ sequence, scores }]
    try {
      request.begin()
    } catch (error) {
      this.end(request, error)
    }
    return [...request.sequences].map((one) => ({ sequence: one, scores: copied(scores) }))
  }

  /** Lets a reply choose. @returns false where it wants the whole row first */
  private take(sequence: Sequence, scores: Scores): boolean {
    const { request, reply, tokens } = sequence
    if (!request.sequences.has(sequence)) return true
    try {
      const choice = reply.next(scores)
      if (choice.kind === 'row') return false
      if (choice.kind === 'token') {
        tokens.push(choice.token)
        if (tokens.length > this.options.context) throw new Error('a reply that is longer than its context')
        return true
      }
    } catch (error) {
      this.end(request, error)
      return true
    }
    this.slots.leave(sequence)
    request.sequences.delete(sequence)
    if (request.sequences.size === 0) this.end(request)
    return true
  }

  /** Ends the requests of a run that failed: what is in its slots is not known. */
  private fail(slots: readonly number[], error: unknown): void {
    for (const { request } of this.slots.lose(slots)) this.end(request, error)
  }

  /** Ends a request, whose slots are free from here on. */
  private end(request: Request, error?: unknown): void {
    for (const sequence of request.sequences) this.slots.leave(sequence)
    request.sequences.clear()
    this.requests.delete(request)
    request.settle(error)
  }
}

const noMore = (): Error => new Error('a reply wants to see more than a whole row')

/** Scores that one of several may edit. */
const copied = (scores: Scores): Scores =>
  scores.kind === 'row' ? { kind: 'row', logits: scores.logits.slice() } : scores

const noMemory = (tokens: number): ServiceError =>
  new ServiceError(
    'server_error',
    `${tokens} tokens find no room in the memory for keys and values (KV_MEMORY), though nothing else is there.`,
  )
