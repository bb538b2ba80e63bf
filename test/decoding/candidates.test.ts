import assert from 'node:assert/strict'
import { Candidates } from '#src/decoding/candidates.js'
import { seededRandom } from '#src/decoding/rng.js'

describe('decoding/candidates', () => {
  const candidates = new Candidates()

  it('finds the likeliest that are enough, and brings them to the front, whatever was searched for before', () => {
    const random = seededRandom(1)
    for (let round = 0; round < 300; round++) {
      const length = 1 + Math.floor(random() * 120)
      // Whole numbers: sums are exact in any order; many are equal.
      const tokens = Array.from({ length }, (_, id) => ({ id, weight: Math.floor(random() * 9) }))
      tokens.sort(() => random() - 0.5)
      candidates.clear(length)
      for (const { id, weight } of tokens) candidates.push(id, weight)
      const ranked = tokens.toSorted((a, b) => b.weight - a.weight || a.id - b.id)
      assert.equal(
        candidates.sum,
        ranked.reduce((sum, { weight }) => sum + weight, 0),
      )
      let among = length
      for (let search = 0; search < 3; search++) {
        const target = random() * candidates.sum * 1.1
        let [count, sum] = [0, 0]
        while (count < among && sum < target) sum += ranked[count++]!.weight
        const found = candidates.likeliest(among, (_, sum) => sum >= target)
        assert.deepEqual([found.isEnough, found.sum], [sum >= target, sum])
        // Of what is never enough all are brought to the front, in any order.
        if (!found.isEnough) continue
        assert.equal(found.count, Math.max(count, 1))
        const { id, weight } = ranked[found.count - 1]!
        assert.deepEqual([candidates.id(found.count - 1), candidates.weight(found.count - 1)], [id, weight])
        const front = Array.from({ length: found.count }, (_, place) => candidates.id(place))
        assert.deepEqual(new Set(front), new Set(ranked.slice(0, found.count).map(({ id }) => id)))
        among = found.count
      }
    }
  })

  it('needs a time in proportion to their number, even where all are alike or in order', () => {
    const length = 100_000
    for (const weightOf of [() => 1, (id: number) => id, (id: number) => length - id]) {
      candidates.clear(length)
      for (let id = 0; id < length; id++) candidates.push(id, weightOf(id))
      let asked = 0
      const { count } = candidates.likeliest(length, (count) => {
        asked++
        return count >= length / 2
      })
      assert.equal(count, length / 2)
      assert.ok(asked < 200, `${asked} parts`)
    }
  })
})
