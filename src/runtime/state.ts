/**
 * A sequence's self-attention rows in host memory: for each state tensor [heads, capacity, width], written in place.
 * The capacity is 256, 512, 1024 … rows and grows by one copy, so that a short talk costs little memory and the
 * graph sees few different shapes.
 */
import type { HostTensor, StateTensor } from './session.js'

const FIRST_CAPACITY = 256

export class StateRows {
  private capacity = 0
  private rows: Float32Array[]

  constructor(
    private readonly tensors: readonly StateTensor[],
    private readonly maxRows: number,
  ) {
    this.rows = tensors.map(() => new Float32Array(0))
  }

  /** The state inputs of a run that continues `past` rows; of capacity 0 when there are none. */
  *read(past: number): Generator<[string, HostTensor]> {
    const capacity = past === 0 ? 0 : this.capacity
    for (const [i, { past: name, heads, width }] of this.tensors.entries()) {
      const data = capacity === 0 ? new Float32Array(0) : this.rows[i]!
      yield [name, { dtype: 'float32', dims: [1, heads, capacity, width], data }]
    }
  }

  /** Writes the new rows [heads, rows, width] of every tensor behind the first `past` rows. */
  append(past: number, fresh: (output: string) => { data: Float32Array; rows: number }): void {
    for (const [i, { fresh: name, heads, width }] of this.tensors.entries()) {
      const { data, rows } = fresh(name)
      this.reserve(past + rows)
      for (let head = 0; head < heads; head++)
        this.rows[i]!.set(
          data.subarray(head * rows * width, (head + 1) * rows * width),
          (head * this.capacity + past) * width,
        )
    }
  }

  private reserve(needed: number): void {
    if (needed > this.maxRows) throw new Error(`${needed} rows of state, but a slot holds ${this.maxRows}`)
    if (needed <= this.capacity) return
    let capacity = Math.max(this.capacity, FIRST_CAPACITY)
    while (capacity < needed) capacity *= 2
    capacity = Math.min(capacity, this.maxRows)
    for (const [i, { heads, width }] of this.tensors.entries()) {
      const old = this.rows[i]!
      const grown = new Float32Array(heads * capacity * width)
      const span = this.capacity * width
      for (let head = 0; head < heads; head++)
        grown.set(old.subarray(head * span, (head + 1) * span), head * capacity * width)
      this.rows[i] = grown
    }
    this.capacity = capacity
  }
}
