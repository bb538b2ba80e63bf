/**
 * Memory of the sequences that have room for the same number of rows: for each state tensor one array
 * [places, heads, capacity, width], so that a run reads neighbouring sequences where they are. Places are dense: what
 * leaves is replaced by the last. The arrays grow and shrink in place, and what they lose the system gets back.
 */
import type { HostTensor, StateTensor } from './session.js'

const FLOAT = Float32Array.BYTES_PER_ELEMENT

/** Bytes of a sequence's rows in one state tensor. */
const shareBytes = ({ heads, width }: StateTensor, capacity: number): number =>
  heads * capacity * width * FLOAT

export class CapacityClass {
  /** Who has which place. */
  private readonly slots: number[] = []
  private readonly memory: readonly ArrayBuffer[]
  /** Bytes of one place in all tensors, and in the largest. */
  readonly placeBytes: number
  readonly largestShare: number

  /** @param stateBytes what all classes have together, and so the most that this one can come to have */
  constructor(
    private readonly tensors: readonly StateTensor[],
    readonly capacity: number,
    stateBytes: number,
  ) {
    const shares = tensors.map((tensor) => shareBytes(tensor, capacity))
    this.placeBytes = shares.reduce((sum, bytes) => sum + bytes, 0)
    this.largestShare = Math.max(...shares)
    const places = Math.floor(stateBytes / this.placeBytes)
    this.memory = shares.map((bytes) => new ArrayBuffer(0, { maxByteLength: places * bytes }))
  }

  get bytes(): number {
    return this.slots.length * this.placeBytes
  }

  placeOf(slot: number): number {
    return this.slots.indexOf(slot)
  }

  /** Gives a slot the place behind the last, with its first `rows` rows in `from`, which it leaves. */
  enter(slot: number, from?: { readonly old: CapacityClass; readonly rows: number }): void {
    const place = this.slots.push(slot) - 1
    // One tensor after the other, so that no more than one of them is there twice.
    for (const [i, tensor] of this.tensors.entries()) {
      this.memory[i]!.resize((place + 1) * shareBytes(tensor, this.capacity))
      if (!from) continue
      this.copyTensor(i, place, from.old, from.old.placeOf(slot), from.rows)
      from.old.closeGap(i, from.old.placeOf(slot))
    }
    from?.old.forget(slot)
  }

  leave(slot: number): void {
    for (const i of this.tensors.keys()) this.closeGap(i, this.placeOf(slot))
    this.forget(slot)
  }

  /** Copies the first `rows` rows of a place in a class, which may be this one, to a place here. */
  copyRows(to: number, from: CapacityClass, place: number, rows: number): void {
    for (const i of this.tensors.keys()) this.copyTensor(i, to, from, place, rows)
  }

  /** Lets two slots change places, of which the first `rows` rows count. */
  swap(a: number, b: number, rows: number): void {
    for (const [i, { heads }] of this.tensors.entries())
      for (let head = 0; head < heads; head++) {
        const [rowsOfA, rowsOfB] = [this.rows(i, a, head, rows), this.rows(i, b, head, rows)]
        const kept = rowsOfA.slice()
        rowsOfA.set(rowsOfB)
        rowsOfB.set(kept)
      }
    const [slotOfA, slotOfB] = [this.slots[a]!, this.slots[b]!]
    this.slots[a] = slotOfB
    this.slots[b] = slotOfA
  }

  slotAt(place: number): number | undefined {
    return this.slots[place]
  }

  /** The rows of `count` places from `first` on, as the graph's state inputs. */
  *read(first: number, count: number): Generator<[string, HostTensor]> {
    for (const [i, tensor] of this.tensors.entries()) {
      const { past, heads, width } = tensor
      const numbers = heads * this.capacity * width
      const data = new Float32Array(this.memory[i]!, first * numbers * FLOAT, count * numbers)
      yield [past, { dtype: 'float32', dims: [count, heads, this.capacity, width], data }]
    }
  }

  /** Writes rows [heads, rows, width] of a tensor behind the first `past` rows of a place. */
  write(tensor: number, place: number, past: number, data: Float32Array): void {
    const { heads, width } = this.tensors[tensor]!
    const size = data.length / heads
    const head0 = (place * heads * this.capacity + past) * width
    const all = new Float32Array(this.memory[tensor]!)
    for (let head = 0; head < heads; head++)
      all.set(data.subarray(head * size, (head + 1) * size), head0 + head * this.capacity * width)
  }

  clear(): void {
    this.slots.length = 0
    for (const memory of this.memory) memory.resize(0)
  }

  private rows(tensor: number, place: number, head: number, rows: number): Float32Array {
    const { heads, width } = this.tensors[tensor]!
    const first = (place * heads + head) * this.capacity * width
    return new Float32Array(this.memory[tensor]!, first * FLOAT, rows * width)
  }

  private copyTensor(tensor: number, to: number, from: CapacityClass, place: number, rows: number): void {
    for (let head = 0; head < this.tensors[tensor]!.heads; head++)
      this.rows(tensor, to, head, rows).set(from.rows(tensor, place, head, rows))
  }

  /** Moves the last place's share of a tensor into a place that becomes free. */
  private closeGap(tensor: number, place: number): void {
    const share = shareBytes(this.tensors[tensor]!, this.capacity)
    const memory = this.memory[tensor]!
    const last = memory.byteLength - share
    if (place * share < last) new Uint8Array(memory).copyWithin(place * share, last)
    memory.resize(last)
  }

  private forget(slot: number): void {
    const place = this.placeOf(slot)
    const last = this.slots.pop()!
    if (last !== slot) this.slots[place] = last
  }
}
