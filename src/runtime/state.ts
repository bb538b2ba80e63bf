/**
 * Sequences' self-attention rows in host memory, for graphs that get the rows so far as an input and return the new
 * ones. A sequence has a capacity of LEAST_ROWS times 1, 2, 4 …, the least that it needs, so that a short talk costs little
 * memory; those of one capacity lie side by side (capacity-class.ts) and are run together. The sum is bounded.
 */
import { CapacityClass } from './capacity-class.js'
import { type HostTensor, LEAST_ROWS, type SlotUse, type StateTensor } from './session.js'

interface Sequence {
  home: CapacityClass
  /** How many of its rows count. */
  rows: number
}

interface Limits {
  /** The most rows of a sequence. */
  readonly rows: number
  /** The most bytes of all, those included that exist twice while they are moved. */
  readonly bytes: number
}

export class HostState {
  private readonly sequences = new Map<number, Sequence>()
  private readonly classes = new Map<number, CapacityClass>()

  constructor(
    private readonly tensors: readonly StateTensor[],
    private readonly limits: Limits,
  ) {}

  /** Bytes that are taken. */
  get bytes(): number {
    return [...this.classes.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** See Session.reserve. @throws Error for more rows than a sequence may have */
  reserve(slot: number, rows: number): boolean {
    if (rows > this.limits.rows)
      throw new Error(`${rows} rows of state, but a slot holds ${this.limits.rows}`)
    const sequence = this.sequences.get(slot)
    const old = sequence?.home
    if (old && rows <= old.capacity) return true
    const home = this.classFor(rows)
    const after = this.bytes - (old?.placeBytes ?? 0) + home.placeBytes
    if (after + (old?.largestShare ?? 0) > this.limits.bytes) return false
    if (sequence && old) {
      home.enter(slot, { old, rows: sequence.rows })
      sequence.home = home
    } else {
      home.enter(slot)
      this.sequences.set(slot, { home, rows: 0 })
    }
    return true
  }

  /** See Session.copy. */
  copy(from: number, to: number, rows: number): void {
    const [source, target] = [this.sequence(from), this.sequence(to)]
    if (rows > source.rows) throw new Error(`slot ${from} has ${source.rows} rows of state, not ${rows}`)
    if (rows > target.home.capacity)
      throw new Error(`${rows} rows are to be copied, but slot ${to} has room for ${target.home.capacity}`)
    target.home.copyRows(target.home.placeOf(to), source.home, source.home.placeOf(from), rows)
    target.rows = rows
  }

  release(slot: number): void {
    this.sequences.get(slot)?.home.leave(slot)
    this.sequences.delete(slot)
  }

  clear(): void {
    for (const home of this.classes.values()) home.clear()
    this.sequences.clear()
  }

  /** See Session.together: one list for each capacity, whose slots become neighbours. */
  together(slots: readonly number[]): number[][] {
    const homeless = slots.filter((slot) => !this.sequences.has(slot)).map((slot) => [slot])
    const shared = [...this.classes.values()].map((home) => {
      const own = slots.filter((slot) => this.sequences.get(slot)?.home === home)
      return own.length > 1 ? this.gather(home, own) : own
    })
    return [...shared.filter((list) => list.length > 0), ...homeless]
  }

  /**
   * The state inputs of a run that adds `rows` rows to each sequence; of capacity 0 when none has any yet.
   * @throws Error when sequences do not lie side by side, lack rows that are to be continued, or get no room for more
   */
  read(uses: readonly SlotUse[], rows: number): Iterable<[string, HostTensor]> {
    for (const { slot, past } of uses) {
      const has = this.sequences.get(slot)?.rows ?? 0
      if (past > has) throw new Error(`slot ${slot} has ${has} rows of state, but the run continues ${past}`)
      if (!this.reserve(slot, past + rows))
        throw new Error(
          `${past + rows} rows of slot ${slot} do not fit in ${this.limits.bytes} bytes of state`,
        )
    }
    const { home } = this.sequence(uses[0]!.slot)
    const first = home.placeOf(uses[0]!.slot)
    if (uses.some(({ slot }, i) => home.slotAt(first + i) !== slot))
      throw new Error(`slots ${uses.map(({ slot }) => slot).join(', ')} do not lie side by side`)
    return uses.every(({ past }) => past === 0) ? this.nothing(uses.length) : home.read(first, uses.length)
  }

  /** Writes the new rows [batch, heads, rows, width] of every tensor behind those that the runs continued. */
  append(uses: readonly SlotUse[], rows: number, fresh: (output: string) => Float32Array): void {
    const { home } = this.sequence(uses[0]!.slot)
    const first = home.placeOf(uses[0]!.slot)
    for (const [tensor, { fresh: name }] of this.tensors.entries()) {
      const data = fresh(name)
      const share = data.length / uses.length
      for (const [i, { past, idle }] of uses.entries())
        if (!idle) home.write(tensor, first + i, past, data.subarray(i * share, (i + 1) * share))
    }
    for (const { slot, past, idle } of uses) if (!idle) this.sequence(slot).rows = past + rows
  }

  private *nothing(batch: number): Generator<[string, HostTensor]> {
    for (const { past, heads, width } of this.tensors)
      yield [past, { dtype: 'float32', dims: [batch, heads, 0, width], data: new Float32Array(0) }]
  }

  /** Brings the slots of a class to neighbouring places, with as few moves as that takes; in the order of the places. */
  private gather(home: CapacityClass, slots: readonly number[]): number[] {
    const wanted = new Set(slots)
    const places = slots.map((slot) => home.placeOf(slot)).sort((a, b) => a - b)
    const within = (start: number) =>
      places.filter((place) => place >= start && place < start + places.length)
    const starts = [...places, 0].filter((start) => home.slotAt(start + places.length - 1) !== undefined)
    const start = starts.reduce((best, s) => (within(s).length > within(best).length ? s : best))
    const outside = places.filter((place) => !within(start).includes(place))
    for (let place = start; place < start + places.length; place++) {
      const stranger = home.slotAt(place)!
      if (wanted.has(stranger)) continue
      const other = outside.pop()!
      const rows = Math.max(this.sequence(stranger).rows, this.sequence(home.slotAt(other)!).rows)
      home.swap(place, other, rows)
    }
    return places.map((_, i) => home.slotAt(start + i)!)
  }

  private classFor(rows: number): CapacityClass {
    let capacity = LEAST_ROWS
    while (capacity < rows) capacity *= 2
    capacity = Math.min(capacity, this.limits.rows)
    const home = this.classes.get(capacity) ?? new CapacityClass(this.tensors, capacity, this.limits.bytes)
    this.classes.set(capacity, home)
    return home
  }

  private sequence(slot: number): Sequence {
    const sequence = this.sequences.get(slot)
    if (!sequence) throw new Error(`slot ${slot} has no room for state: it is to be reserved first`)
    return sequence
  }
}
