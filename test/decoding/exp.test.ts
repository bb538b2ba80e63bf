import assert from 'node:assert/strict'
import { expOfMinus } from '#src/decoding/exp.js'
import { seededRandom } from '#src/decoding/rng.js'

describe('expOfMinus', () => {
  it('is exp of the negative number', () => {
    const random = seededRandom(2)
    for (let round = 0; round < 100_000; round++) {
      const x = random() * [1e-6, 1, 10, 100, 700][round % 5]!
      const exact = Math.exp(-x)
      assert.ok(Math.abs(expOfMinus(x) - exact) <= exact * 1e-14, `${x}`)
    }
    for (const x of [0, 1, 708, 745, 745.2, 746, 1e9, Infinity])
      assert.ok(Math.abs(expOfMinus(x) - Math.exp(-x)) < 1e-307, `${x}`)
    assert.ok(Number.isNaN(expOfMinus(Number.NaN)))
  })
})
