import assert from 'node:assert/strict'
import { seededRandom, xoshiro128 } from '#src/decoding/rng.js'

describe('xoshiro128', () => {
  // Published outputs of the authors' C program (version 1.1) for these states; the first also in Rust's rand_xoshiro.
  const vectors: [state: number[], outputs: number[]][] = [
    [
      [1, 2, 3, 4],
      [11520, 0, 5927040, 70819200, 2031721883, 1637235492],
    ],
    [
      [0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0],
      [0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70],
    ],
  ]
  for (const [state, outputs] of vectors) {
    it(`gives the reference numbers from the state ${state}`, () => {
      const next = xoshiro128(Uint32Array.from(state))
      assert.deepEqual(
        outputs.map(() => next()),
        outputs,
      )
    })
  }
})

describe('seededRandom', () => {
  const take = (seed: number | bigint | string, count = 4) =>
    Array.from({ length: count }, seededRandom(seed))

  it('repeats itself for a seed, however the seed is written', () => {
    assert.deepEqual(take(42), take(42n))
    assert.deepEqual(take(42), take('42'))
    assert.deepEqual(take(42).slice(1), take(42).slice(1))
  })

  it('gives every 64-bit seed numbers of its own', () => {
    const seeds = [
      0,
      1,
      -1,
      2,
      2n ** 63n - 1n,
      2n ** 63n - 2n,
      -(2n ** 63n),
      2n ** 32n,
      'request-1',
      'request-2',
    ]
    assert.equal(new Set(seeds.map((seed) => take(seed, 1)[0])).size, seeds.length)
  })

  it('is uniform in [0, 1), over 64 bins and in its lowest bits', () => {
    const random = seededRandom(7)
    const count = 64_000
    const high = new Float64Array(64)
    const low = new Float64Array(64)
    for (let index = 0; index < count; index++) {
      const value = random()
      assert.ok(value >= 0 && value < 1)
      high[Math.floor(value * 64)]! += 1
      low[(value * 2 ** 53) % 64]! += 1
    }
    for (const bins of [high, low]) {
      const chiSquare = bins.reduce((sum, found) => sum + (found - 1000) ** 2 / 1000, 0)
      assert.ok(chiSquare > 30 && chiSquare < 105, `chi-square ${chiSquare} of 63 degrees of freedom`) // 0.1 % of seeds fall outside
    }
  })

  it('mixes near seeds: their first numbers are uniform and unrelated', () => {
    const firsts = Array.from({ length: 4000 }, (_, seed) => take(seed, 1)[0]!)
    const mean = firsts.reduce((sum, value) => sum + value) / firsts.length
    assert.ok(Math.abs(mean - 0.5) < 0.02)
    let product = 0
    for (let seed = 1; seed < firsts.length; seed++)
      product += (firsts[seed]! - 0.5) * (firsts[seed - 1]! - 0.5)
    assert.ok(Math.abs(product / firsts.length) < 0.006)
  })
})
