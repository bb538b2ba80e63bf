import assert from 'node:assert/strict'
import type { SlotUse, StateTensor } from '#src/runtime/session.js'
import { HostState } from '#src/runtime/state.js'

const tensors: StateTensor[] = [
  { past: 'k.past', fresh: 'k.fresh', heads: 2, width: 3 },
  { past: 'v.past', fresh: 'v.fresh', heads: 1, width: 2 },
]
/** Bytes of a row in both tensors, and in the larger. */
const ROW = 4 * (2 * 3 + 2)
const LARGER = 4 * 2 * 3
const roomy = { rows: 8192, bytes: 2 ** 24 }

/** A number that says where it belongs. */
const value = (sequence: number, tensor: string, head: number, row: number, column: number) =>
  (((sequence * 2 + (tensor === 'k' ? 0 : 1)) * 2 + head) * 2048 + row) * 4 + column

/** The sequence that each slot has, and how many rows. */
class Told {
  readonly state: HostState
  private readonly sequences = new Map<number, { sequence: number; rows: number }>()

  constructor(limits = roomy) {
    this.state = new HostState(tensors, limits)
  }

  /** What a graph would return for the next `count` rows of the slots. */
  add(slots: readonly number[], count: number, uses: readonly SlotUse[] = this.uses(slots)): void {
    for (const _ of this.state.read(uses, count)) {
      // Only room is made here.
    }
    this.state.append(uses, count, (name) => {
      const { heads, width } = tensors.find(({ fresh }) => fresh === name)!
      const share = heads * count * width
      return Float32Array.from({ length: slots.length * share }, (_, i) => {
        const use = uses[Math.floor(i / share)]!
        const [head, row, column] = [
          Math.floor((i % share) / (count * width)),
          Math.floor(i / width),
          i % width,
        ]
        return value(this.of(use.slot).sequence, name[0]!, head, use.past + (row % count), column)
      })
    })
    for (const { slot, past, idle } of uses) if (!idle) this.of(slot).rows = past + count
  }

  uses(slots: readonly number[]): SlotUse[] {
    return slots.map((slot) => ({ slot, past: this.of(slot).rows }))
  }

  of(slot: number) {
    const told = this.sequences.get(slot) ?? { sequence: slot, rows: 0 }
    this.sequences.set(slot, told)
    return told
  }

  copy(from: number, to: number, rows: number): void {
    this.state.copy(from, to, rows)
    this.sequences.set(to, { sequence: this.of(from).sequence, rows })
  }

  release(slot: number): void {
    this.state.release(slot)
    this.sequences.delete(slot)
  }

  /** Every row is where a run finds it. */
  check(slots: readonly number[], capacity: number): void {
    const uses = this.uses(slots)
    for (const [name, { dims, data }] of this.state.read(uses, 0)) {
      const { heads, width } = tensors.find(({ past }) => past === name)!
      assert.deepEqual(dims, [slots.length, heads, capacity, width])
      assert.equal(data.length, slots.length * heads * capacity * width)
      for (const [i, slot] of slots.entries())
        for (let head = 0; head < heads; head++)
          for (let row = 0; row < this.of(slot).rows; row++)
            for (let column = 0; column < width; column++)
              assert.equal(
                data[((i * heads + head) * capacity + row) * width + column],
                value(this.of(slot).sequence, name[0]!, head, row, column),
                `${name} of slot ${slot}, head ${head}, row ${row}`,
              )
    }
  }
}

describe('runtime/state', () => {
  it('starts without rows, of capacity 0', () => {
    const { state } = new Told()
    assert.deepEqual(
      [...state.read([{ slot: 0, past: 0 }], 1)].map(([name, { dims, data }]) => [name, dims, data.length]),
      [
        ['k.past', [1, 2, 0, 3], 0],
        ['v.past', [1, 1, 0, 2], 0],
      ],
    )
  })

  it('keeps every row in its place while it grows: 256, 512, 1024, then the most', () => {
    const told = new Told({ ...roomy, rows: 1500 })
    for (const [rows, capacity] of [
      [200, 256],
      [1, 256],
      [55, 256],
      [1, 512],
      [700, 1024],
      [100, 1500],
      [443, 1500],
    ] as const) {
      told.add([0], rows)
      told.check([0], capacity)
      assert.equal(told.state.bytes, capacity * ROW)
    }
    assert.equal(told.of(0).rows, 1500)
  })

  it('grows over several steps at once, and no further than needed', () => {
    const told = new Told()
    told.add([0], 1025)
    told.check([0], 2048)
    const small = new Told({ ...roomy, rows: 100 })
    small.add([0], 100)
    small.check([0], 100)
  })

  it('overwrites rows behind the past that counts', () => {
    const told = new Told()
    told.add([0], 20)
    told.add([0], 5, [{ slot: 0, past: 10 }])
    told.check([0], 256)
    assert.equal(told.of(0).rows, 15)
    assert.throws(
      () => told.state.read([{ slot: 0, past: 16 }], 1),
      /has 15 rows of state, but the run continues 16/,
    )
  })

  it('refuses more rows than a slot holds', () => {
    const told = new Told({ ...roomy, rows: 300 })
    told.add([0], 300)
    assert.throws(() => told.add([0], 1), /301 rows of state, but a slot holds 300/)
    assert.throws(() => told.state.reserve(1, 301), /301 rows/)
    told.check([0], 300)
  })

  describe('runs sequences together', () => {
    it('that have one capacity, side by side, in the order of the batch', () => {
      const told = new Told()
      for (const [slot, rows] of [10, 300, 20, 30, 400].entries()) told.add([slot], rows)
      assert.deepEqual(told.state.together([0, 1, 2, 3, 4]), [
        [0, 2, 3],
        [1, 4],
      ])
      told.check([0, 2, 3], 256)
      told.check([1, 4], 512)
      told.add([0, 2, 3], 1)
      told.check([0, 2, 3], 256)
      assert.deepEqual(told.state.together([4, 0]), [[0], [4]])
    })

    it('moves as few as it can, and keeps the rows of those that are not asked for', () => {
      const told = new Told()
      for (const slot of [0, 1, 2, 3, 4, 5]) told.add([slot], 10 + slot)
      assert.deepEqual(told.state.together([1, 2, 3]), [[1, 2, 3]])
      assert.deepEqual(told.state.together([5, 4, 2, 0]), [[2, 0, 4, 5]], 'only 0 moves')
      told.add([2, 0, 4, 5], 1)
      told.check([2, 0, 4, 5], 256)
      for (const slot of [1, 3]) told.check([slot], 256)
      const all = told.state.together([0, 1, 2, 3, 4, 5])
      assert.deepEqual(all[0]!.toSorted(), [0, 1, 2, 3, 4, 5])
      told.check(all[0]!, 256)
    })

    it('refuses those that do not lie so', () => {
      const told = new Told()
      for (const slot of [0, 1, 2]) told.add([slot], 10)
      assert.throws(() => told.check([0, 2], 256), /slots 0, 2 do not lie side by side/)
      assert.throws(() => told.check([1, 0], 256), /slots 1, 0/)
      told.add([1], 300)
      assert.throws(() => told.check([0, 1], 256), /slots 0, 1/)
    })

    it('lets a slot without rows run alone', () => {
      const told = new Told()
      told.add([3], 10)
      assert.deepEqual(told.state.together([7, 3, 8]), [[3], [7], [8]])
    })

    it('keeps nothing of one that is idle', () => {
      const told = new Told()
      for (const slot of [0, 1]) told.add([slot], 10)
      told.add([0, 1], 1, [{ slot: 0, past: 4, idle: true }, ...told.uses([1])])
      told.check([0, 1], 256)
      assert.deepEqual([told.of(0).rows, told.of(1).rows], [10, 11])
    })
  })

  it('copies the first rows of a sequence to another, of the same capacity or not', () => {
    const told = new Told()
    told.add([0], 300)
    told.add([1], 5)
    told.copy(0, 1, 200)
    assert.equal(told.state.reserve(2, 250), true)
    told.copy(1, 2, 100)
    told.add([2], 1)
    told.check([1], 256)
    told.check([2], 256)
    told.check([0], 512)
    assert.throws(() => told.state.copy(1, 2, 201), /slot 1 has 200 rows of state, not 201/)
    assert.throws(() => told.state.copy(0, 2, 257), /slot 2 has room for 256/)
    assert.throws(() => told.state.copy(0, 9, 1), /slot 9 has no room/)
  })

  describe('takes no more memory than it may', () => {
    it('and gives back what is released', () => {
      const told = new Told({ rows: 8192, bytes: 3 * 256 * ROW })
      for (const slot of [0, 1, 2]) told.add([slot], 10 + slot)
      assert.equal(told.state.bytes, 3 * 256 * ROW)
      assert.equal(told.state.reserve(3, 1), false)
      assert.equal(told.state.reserve(0, 256), true, 'it has them')
      told.release(0)
      assert.equal(told.state.bytes, 2 * 256 * ROW)
      assert.deepEqual(told.state.together([1, 2])[0]!.toSorted(), [1, 2])
      told.check([1], 256)
      told.check([2], 256)
      told.add([3], 7)
      told.check(told.state.together([1, 2, 3])[0]!, 256)
      told.release(9)
      for (const slot of [1, 2, 3]) told.release(slot)
      assert.equal(told.state.bytes, 0)
    })

    it('not even while a sequence moves to more', () => {
      const grown = 512 * ROW + 256 * LARGER
      for (const bytes of [grown - 1, grown]) {
        const told = new Told({ rows: 8192, bytes })
        told.add([0], 256)
        assert.equal(told.state.reserve(0, 257), bytes === grown)
        told.check([0], bytes === grown ? 512 : 256)
      }
      const told = new Told({ rows: 8192, bytes: 300 * ROW })
      told.add([0], 256)
      assert.throws(() => told.add([0], 1), /257 rows of slot 0 do not fit in 9600 bytes of state/)
      told.check([0], 256)
    })
  })

  it('keeps all rows in their places along a long life', () => {
    const told = new Told({ rows: 600, bytes: 12 * 256 * ROW })
    let seed = 1
    const random = (n: number) => {
      seed = (seed * 48271) % 2147483647
      return seed % n
    }
    const living = () => [0, 1, 2, 3, 4, 5, 6].filter((slot) => told.of(slot).rows > 0)
    for (let i = 0; i < 600; i++) {
      const slot = random(7)
      const rows = 1 + random(120)
      if (random(8) === 0) told.release(slot)
      else if (told.of(slot).rows + rows <= 600 && told.state.reserve(slot, told.of(slot).rows + rows))
        told.add([slot], rows)
      const fit = living().filter((s) => told.of(s).rows < 600 && told.state.reserve(s, told.of(s).rows + 1))
      const asked = fit.filter(() => random(3) > 0)
      for (const list of told.state.together(asked)) told.add(list, 1)
      assert.ok(told.state.bytes <= 12 * 256 * ROW)
      if (i % 50 === 0)
        for (const list of told.state.together(living()))
          told.check(
            list,
            list.some((s) => told.of(s).rows > 512)
              ? 600
              : list.some((s) => told.of(s).rows > 256)
                ? 512
                : 256,
          )
    }
  })
})
