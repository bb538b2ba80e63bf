/** Patterns, judged by the engine's own regular expressions. */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { matching } from '#src/grammar/regex.js'
import { Effort, moveOn, type TextState } from '#src/grammar/text-automaton.js'

const patterns = [
  '', '^$', 'a', '^a', 'a$', '^ab?c*$', '^(a|b)*c', 'a{2}', '^a{2,}$', '^(?:ab){1,3}$', '(?<x>a|bc)+$', '^[a-c]+[^b]$',
  '^a|b$', '^(a|^b)$', 'a$|^b', '^(a$|b)', '[^]', '^.$', '^\\d+\\.\\w\\s$', '[\\d\\-x]', '\\u0061', '^\\u{1F600}$', '\\x61',
  '^\\p{Lu}', '\\P{L}', '^[\\p{L}1]+$', 'a??b+?', '^(|a)$', '(a*)*b', '^[\\]\\\\]$', '\\ud83d\\ude00', '^\\cA|\\t', '^é+$',
  '^(a{0,3}){2}$', 'ab|^c|d$', '^(?:(?:a|b)(?:c|d)){2}$', '[a-b-]', '\\/\\.', '^a.c$', '\\S\\D\\W',
] // biome-ignore format: a list
const alphabet = [...'aabbccd12.-x\\]/ \tAÉé\n\u2028😀\u0001']

function takes(automaton: TextState | undefined, text: string): boolean {
  let state = automaton
  for (const character of text) state = state && moveOn(state, character.codePointAt(0)!)
  return state?.accepts ?? false
}

describe('patterns', () => {
  for (const pattern of patterns)
    it(`/${pattern}/`, () => {
      const automaton = matching(pattern, new Effort())
      const judge = new RegExp(pattern, 'u')
      const random = seededRandom(pattern)
      const letters = alphabet.filter((letter) => random() < 0.5 || pattern.includes(letter))
      for (let count = 0; count < 600; count++) {
        const length = Math.floor(random() * 7)
        const text = Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('')
        assert.equal(takes(automaton, text), judge.test(text), JSON.stringify(text))
      }
    })

  it('that nothing matches have no automaton', () => {
    assert.equal(matching('a^b', new Effort()), undefined)
    assert.equal(matching('[]', new Effort()), undefined)
  })

  it('that need more than a finite automaton are refused in words', () => {
    const reasons: Readonly<Record<string, RegExp>> = {
      '(?=a)': /looks ahead/,
      '(?<!a)b': /looks behind/,
      '(a)\\1': /refers back/,
      '\\k<x>': /refers back/,
      '\\bword': /word boundary/,
      '(?i)a': /group of an unknown kind/,
      '(a': /"\(" without/,
      'a)': /"\)" too many/,
      'a**': /quantifier behind a quantifier/,
      '*a': /nothing before it/,
      '[b-a]': /range of characters/,
      '[a': /"\[" without/,
      'a{2,1}': /out of order/,
      'x{': /begins no quantifier/,
      '\\p{Nonsense}': /unknown property/,
      '\\ud800': /no character/,
      '\\y': /unknown escape/,
      'a\\': /ends too early/,
    }
    for (const [pattern, reason] of Object.entries(reasons))
      assert.throws(() => matching(pattern, new Effort()), { name: 'PatternError', message: reason }, pattern)
  })

  it('that would grow without measure are refused soon', () => {
    for (const pattern of ['^(a|b)*a(a|b){25}$', '((a{1,100}){1,100}){1,100}', '^.{0,20000}$'])
      assert.throws(() => matching(pattern, new Effort()), { name: 'TooComplex' }, pattern)
  })
})
