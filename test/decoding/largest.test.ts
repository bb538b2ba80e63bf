import assert from 'node:assert/strict'
import { largest } from '#src/decoding/largest.js'
import { seededRandom } from '#src/decoding/rng.js'

describe('largest', () => {
  it('is the beginning of the sorted row', () => {
    const random = seededRandom(1)
    for (let round = 0; round < 200; round++) {
      const logits = Float32Array.from({ length: 1 + round }, () => Math.round(random() * 40) / 8)
      if (round % 3 === 0) logits[0] = -Infinity
      const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b)
      for (const count of [0, 1, 5, 20, 1000])
        assert.deepEqual(largest(logits, count), sorted.slice(0, count))
    }
  })
})
