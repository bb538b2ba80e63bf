import assert from 'node:assert/strict'
import { type LogitRule, suppress, suppressAtStart } from '#src/decoding/rules.js'

describe('logit rules', () => {
  const none = -Infinity
  const cases: [string, LogitRule, number[], number[], number[]][] = [
    ['suppress', suppress([1, 3]), [0.5, 1, 2, 3], [7], [0.5, none, 2, none]],
    ['suppress nothing', suppress([]), [1, 2], [], [1, 2]],
    ['suppress beyond the row', suppress([9]), [1, 2], [], [1, 2]],
    ['suppressAtStart at the start', suppressAtStart([0]), [1, 2], [], [none, 2]],
    ['suppressAtStart later', suppressAtStart([0]), [1, 2], [5], [1, 2]],
  ]
  for (const [name, rule, before, tokens, after] of cases) {
    it(name, () => {
      const logits = Float32Array.from(before)
      rule(logits, tokens)
      assert.deepEqual([...logits], after)
    })
  }
})
