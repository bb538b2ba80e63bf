import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { StopStrings } from '#src/decoding/stop.js'

/** All that is shown of a text pushed in pieces of the lengths that `size` gives, and whether it was stopped. */
function shown(stops: string[], text: string, size: () => number): { text: string; stopped: boolean } {
  const filter = new StopStrings(stops)
  let all = ''
  let stopped = false
  for (let at = 0; at < text.length; ) {
    const end = at + size()
    const result = filter.push(text.slice(at, end))
    all += result.text
    stopped = result.stopped
    at = end
  }
  return { text: all + filter.end(), stopped }
}

describe('StopStrings', () => {
  const cases: [stops: string[], text: string, shown: string, stopped: boolean][] = [
    [[], 'all of it', 'all of it', false],
    [[''], 'all of it', 'all of it', false],
    [['END'], 'before END after', 'before ', true],
    [['END'], 'an EN at the end EN', 'an EN at the end EN', false],
    [['END'], 'END', '', true],
    [['END'], 'EEND', 'E', true],
    [['aab'], 'aaab', 'a', true],
    [['abab'], 'abaabab', 'aba', true],
    [['\n\n'], 'one\ntwo\n\nthree', 'one\ntwo', true],
    [['xyz', 'b'], 'abxyz', 'a', true],
    [['abcd', 'bc'], 'abcd', 'a', true], // "bc" is complete first
    [['abc', 'bc'], 'xabc', 'x', true], // both end together
    [['abcd', 'c'], 'abx', 'abx', false],
    [['🙂'], 'a🙂b', 'a', true],
    [['long stop string'], 'a long stop strin', 'a long stop strin', false],
  ]
  for (const [stops, text, expected, stopped] of cases) {
    for (const size of [1, 2, 3, 100]) {
      it(`shows ${JSON.stringify(expected)} of ${JSON.stringify(text)} up to ${JSON.stringify(stops)} by ${size}`, () => {
        assert.deepEqual(
          shown(stops, text, () => size),
          { text: expected, stopped },
        )
      })
    }
  }

  it('shows at once what can not begin a stop string', () => {
    const filter = new StopStrings(['STOP'])
    assert.deepEqual(filter.push('abc S'), { text: 'abc ', stopped: false })
    assert.deepEqual(filter.push('T'), { text: '', stopped: false })
    assert.deepEqual(filter.push('x'), { text: 'STx', stopped: false })
    assert.deepEqual(filter.push('STOPx'), { text: '', stopped: true })
    assert.deepEqual(filter.push('more'), { text: '', stopped: true })
    assert.equal(filter.end(), '')
  })

  it('never shows a stop string or what follows it, for random texts and pieces', () => {
    const random = seededRandom(6)
    const below = (end: number) => Math.floor(random() * end)
    const letters = (count: number) => Array.from({ length: count }, () => 'ab'[below(2)]).join('')
    for (let round = 0; round < 3000; round++) {
      const stops = Array.from({ length: 1 + below(3) }, () => letters(2 + below(4)))
      const text = letters(below(30))
      const result = shown(stops, text, () => 1 + below(5))
      assert.deepEqual(
        result,
        shown(stops, text, () => 100),
      )
      assert.ok(text.startsWith(result.text) && !stops.some((stop) => result.text.includes(stop)))
      assert.equal(
        result.stopped,
        stops.some((stop) => text.includes(stop)),
      )
      if (!result.stopped) assert.equal(result.text, text)
    }
  })
})
