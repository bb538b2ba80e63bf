import assert from 'node:assert/strict'
import { timestampRules } from '#src/models/whisper/timestamps.js'
import type { SpecialTokens } from '#src/models/whisper/tokens.js'

/** Texts 0 … 7, end 8, specials 9 … 11, `<|notimestamps|>` 12, then timestamps 0.00 … 2.00. */
const [END, NO_TIMESTAMPS, FIRST, SIZE] = [8, 12, 13, 114]
const special = { endOfText: END, noTimestamps: NO_TIMESTAMPS, firstTimestamp: FIRST } as SpecialTokens
const at = (seconds: number) => FIRST + Math.round(seconds / 0.02)

/** The ids that are allowed after `tokens` when `likely` have a logit of 1, the others −20. */
function allowed(tokens: readonly number[], ...likely: number[]): number[] {
  const logits = new Float32Array(SIZE).fill(-20)
  for (const id of likely) logits[id] = 1
  timestampRules(special)(logits, tokens)
  return [...logits.keys()].filter((id) => logits[id] !== -Infinity)
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const specials = [9, 10, 11]

describe('whisper: timestamp rules', () => {
  it('begin with a timestamp of at most a second', () => {
    assert.deepEqual(allowed([], 3), range(FIRST, at(1) + 1))
  })

  it('want text or the end after the first timestamp', () => {
    assert.deepEqual(allowed([at(0.5)], 3), [...range(0, END + 1), ...specials])
  })

  it('want later timestamps within text', () => {
    assert.deepEqual(allowed([at(0), 3], 4), [...range(0, END + 1), ...specials, ...range(at(0.02), SIZE)])
    assert.deepEqual(allowed([at(0), 3, at(1), at(1), 5], 4), [
      ...range(0, END + 1),
      ...specials,
      ...range(at(1.02), SIZE),
    ])
  })

  it('want the end or a timestamp, the same or a later one, after a closing timestamp', () => {
    assert.deepEqual(allowed([at(0), 3, at(1)], END), [END, ...specials, ...range(at(1), SIZE)])
  })

  it('want no third timestamp in a row', () => {
    assert.deepEqual(allowed([at(0), 3, at(1), at(1)], 3, at(2)), [...range(0, END + 1), ...specials])
  })

  it('want a timestamp where all of them together are likelier than any text', () => {
    // 98 times exp(-20) is less than exp(1), two times exp(1) is more.
    assert.ok(allowed([at(0), 3], 4).includes(4))
    assert.deepEqual(allowed([at(0), 3], 4, at(1), at(1.5)), range(at(0.02), SIZE))
  })
})
