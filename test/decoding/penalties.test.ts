import assert from 'node:assert/strict'
import { Penalties } from '#src/decoding/penalties.js'

describe('penalties', () => {
  const none = { frequency: 0, presence: 0, repetition: 1 }
  const cases: [string, Partial<typeof none>, prompt: number[], reply: number[], number[], number[]][] = [
    ['nothing', {}, [0], [0, 1], [4, -4], [4, -4]],
    ['frequency by how often', { frequency: 0.5 }, [3], [0, 1, 1], [4, 4, 4, 4], [3.5, 3, 4, 4]],
    ['presence once', { presence: 0.5 }, [3], [0, 1, 1], [4, 4, 4, 4], [3.5, 3.5, 4, 4]],
    ['both, as OpenAI adds them', { frequency: 1, presence: 0.25 }, [], [1, 1], [4, -4], [4, -6.25]],
    ['negative ones', { frequency: -1, presence: -2 }, [], [0], [1, 1], [4, 1]],
    ['repetition in the prompt', { repetition: 2 }, [0, 1], [], [4, -4, 4, -4], [2, -8, 4, -4]],
    ['repetition in the reply', { repetition: 2 }, [], [2, 3], [4, -4, 4, -4], [4, -4, 2, -8]],
    ['repetition once per token', { repetition: 2 }, [0, 0], [0, 1, 1], [4, 4, 4], [2, 2, 4]],
    ['repetition of zero and -Infinity', { repetition: 2 }, [0, 1], [], [0, -Infinity], [0, -Infinity]],
    ['repetition below 1', { repetition: 0.5 }, [0, 1], [], [4, -4], [8, -2]],
    ['repetition beyond the row', { repetition: 2 }, [9], [8], [4], [4]],
    ['repetition before the others', { repetition: 2, frequency: 1 }, [], [0], [4], [1]],
  ]
  for (const [name, given, prompt, reply, before, after] of cases)
    it(name, () => {
      const penalties = new Penalties({ ...none, ...given }, prompt)
      for (const token of reply) penalties.take(token)
      const logits = Float32Array.from(before)
      penalties.apply(logits)
      assert.deepEqual([...logits], after)
      assert.equal(penalties.active, Object.keys(given).length > 0)
    })

  it('refuses a repetition penalty that is not positive', () => {
    for (const repetition of [0, -1, Number.NaN, Infinity])
      assert.throws(() => new Penalties({ ...none, repetition }, []), RangeError)
  })
})
