import assert from 'node:assert/strict'
import type { StateTensor } from '#src/runtime/session.js'
import { StateRows } from '#src/runtime/state.js'

const tensors: StateTensor[] = [
  { past: 'k.past', fresh: 'k.fresh', heads: 2, width: 3 },
  { past: 'v.past', fresh: 'v.fresh', heads: 1, width: 2 },
]

/** A number that says where it belongs. */
const value = (tensor: string, head: number, row: number, column: number) =>
  (tensor === 'k' ? 0 : 0.5) + head * 10_000 + row + column / 10

/** What a graph would return for rows `first` … `first + rows`. */
function fresh(first: number, rows: number) {
  return (name: string) => {
    const { heads, width } = tensors.find((tensor) => tensor.fresh === name)!
    const data = Float32Array.from({ length: heads * rows * width }, (_, i) =>
      value(name[0]!, Math.floor(i / (rows * width)), first + (Math.floor(i / width) % rows), i % width),
    )
    return { data, rows }
  }
}

function check(state: StateRows, past: number, capacity: number): void {
  for (const [name, { dims, data }] of state.read(past)) {
    const { heads, width } = tensors.find((tensor) => tensor.past === name)!
    assert.deepEqual(dims, [1, heads, capacity, width])
    assert.equal(data.length, heads * capacity * width)
    for (let head = 0; head < heads; head++)
      for (let row = 0; row < past; row++)
        for (let column = 0; column < width; column++)
          assert.equal(
            data[(head * capacity + row) * width + column],
            Math.fround(value(name[0]!, head, row, column)),
            `${name} head ${head} row ${row}`,
          )
  }
}

describe('runtime/state', () => {
  it('starts without rows, of capacity 0', () => {
    const state = new StateRows(tensors, 1024)
    assert.deepEqual(
      [...state.read(0)].map(([name, { dims, data }]) => [name, dims, data.length]),
      [
        ['k.past', [1, 2, 0, 3], 0],
        ['v.past', [1, 1, 0, 2], 0],
      ],
    )
  })

  it('keeps every row in its place while it grows: 256, 512, 1024, then the most', () => {
    const state = new StateRows(tensors, 1500)
    let past = 0
    for (const [rows, capacity] of [
      [200, 256],
      [1, 256],
      [55, 256],
      [1, 512],
      [700, 1024],
      [100, 1500],
      [443, 1500],
    ] as const) {
      state.append(past, fresh(past, rows))
      past += rows
      check(state, past, capacity)
    }
    assert.equal(past, 1500)
  })

  it('grows over several steps at once, and no further than needed', () => {
    const state = new StateRows(tensors, 8192)
    state.append(0, fresh(0, 1025))
    check(state, 1025, 2048)
    const small = new StateRows(tensors, 100)
    small.append(0, fresh(0, 100))
    check(small, 100, 100)
  })

  it('overwrites rows behind the past that counts, and forgets all with a past of 0', () => {
    const state = new StateRows(tensors, 1024)
    state.append(0, fresh(500, 20))
    state.append(0, fresh(0, 10))
    state.append(10, fresh(10, 1))
    check(state, 11, 256)
    assert.equal([...state.read(0)][0]![1].data.length, 0)
  })

  it('refuses more rows than a slot holds', () => {
    const state = new StateRows(tensors, 300)
    state.append(0, fresh(0, 300))
    assert.throws(() => state.append(300, fresh(300, 1)), /301 rows of state, but a slot holds 300/)
    check(state, 300, 300)
  })
})
