import assert from 'node:assert/strict'
import { type LogitRule, repetitionPenalty, suppress, suppressAtStart } from '#src/decoding/rules.js'

describe('logit rules', () => {
  const none = -Infinity
  const cases: [string, LogitRule, number[], number[], number[]][] = [
    ['suppress', suppress([1, 3]), [0.5, 1, 2, 3], [7], [0.5, none, 2, none]],
    ['suppress nothing', suppress([]), [1, 2], [], [1, 2]],
    ['suppress beyond the row', suppress([9]), [1, 2], [], [1, 2]],
    ['suppressAtStart at the start', suppressAtStart([0]), [1, 2], [], [none, 2]],
    ['suppressAtStart later', suppressAtStart([0]), [1, 2], [5], [1, 2]],
    ['penalty on the prompt', repetitionPenalty(2, [0, 1]), [4, -4, 4, -4], [], [2, -8, 4, -4]],
    ['penalty on the reply', repetitionPenalty(2, []), [4, -4, 4, -4], [2, 3], [4, -4, 2, -8]],
    ['penalty once per token', repetitionPenalty(2, [0, 0]), [4, 4, 4], [0, 1, 1], [2, 2, 4]],
    ['penalty of zero and -Infinity', repetitionPenalty(2, [0, 1]), [0, none], [], [0, none]],
    ['penalty below 1', repetitionPenalty(0.5, [0, 1]), [4, -4], [], [8, -2]],
    ['penalty 1', repetitionPenalty(1, [0, 1]), [4, -4], [0], [4, -4]],
    ['penalty beyond the row', repetitionPenalty(2, [9]), [4], [8], [4]],
  ]
  for (const [name, rule, before, tokens, after] of cases) {
    it(name, () => {
      const logits = Float32Array.from(before)
      rule(logits, tokens)
      assert.deepEqual([...logits], after)
    })
  }

  it('refuses a penalty that is not positive', () => {
    for (const penalty of [0, -1, Number.NaN, Infinity])
      assert.throws(() => repetitionPenalty(penalty, []), RangeError)
  })
})
