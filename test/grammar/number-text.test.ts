import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { type NumberBounds, numbers } from '#src/grammar/number-text.js'
import { Effort, moveOn, type TextState } from '#src/grammar/text-automaton.js'

const free: NumberBounds = {
  integer: false,
  least: -Infinity,
  most: Infinity,
  above: false,
  below: false,
  multiplesOf: [],
}
const made = (bounds: Partial<NumberBounds>) => numbers({ ...free, ...bounds }, new Effort())

function takes(automaton: TextState | undefined, text: string): boolean {
  let state = automaton
  for (const character of text) state = state && moveOn(state, character.charCodeAt(0))
  return state?.accepts ?? false
}

describe('numbers as text', () => {
  it('are all integers of a range and no others', () => {
    const random = seededRandom('integers')
    for (let count = 0; count < 60; count++) {
      const least = Math.floor(random() * 2500) - 1200
      const most = least + Math.floor(random() * 1200)
      const bounds = { least, most, integer: true, above: random() < 0.5, below: random() < 0.5 }
      const multiplesOf = random() < 0.3 ? [1 + Math.floor(random() * 20)] : []
      const automaton = made({ ...bounds, multiplesOf })
      for (let value = least - 15; value <= most + 15; value++) {
        const isInside =
          (bounds.above ? value > least : value >= least) && (bounds.below ? value < most : value <= most)
        const expected = isInside && multiplesOf.every((factor) => value % factor === 0)
        assert.equal(takes(automaton, String(value)), expected, `${value} ${JSON.stringify(bounds)}`)
      }
    }
  })

  it('are decimals of a range, in any of their forms without exponent', () => {
    const random = seededRandom('decimals')
    const number = (digits: number) =>
      Number(((random() - 0.4) * 10 ** Math.floor(random() * 4)).toFixed(digits))
    for (let count = 0; count < 300; count++) {
      const [a, b] = [number(3), number(2)]
      const bounds = {
        least: Math.min(a, b),
        most: Math.max(a, b),
        above: random() < 0.5,
        below: random() < 0.5,
      }
      const automaton = made(bounds)
      const { least, most, above, below } = bounds
      for (const value of [least, most, ...Array.from({ length: 40 }, () => number(4))]) {
        const isInside = (above ? value > least : value >= least) && (below ? value < most : value <= most)
        const text = value.toString()
        for (const form of [text, text.includes('.') ? `${text}0` : `${text}.00`])
          if (value !== 0 || !Object.is(value, -0))
            assert.equal(takes(automaton, form), isInside, `${form} ${JSON.stringify(bounds)}`)
      }
    }
  })

  it('stay within a bound when they are read as doubles', () => {
    const automaton = made({ most: 1, below: true, least: 0 })
    assert.ok(takes(automaton, '0.999999999999999'))
    assert.ok(!takes(automaton, '0.99999999999999999999'), 'reads as 1')
    assert.ok(!takes(made({ most: 1000, below: true }), '999.99999999999999'), 'reads as 1000')
    const large = made({ integer: true, least: 2 ** 53, above: true, most: 2 ** 53 + 4 })
    assert.ok(!takes(large, '9007199254740993'), 'reads as 2^53')
    assert.ok(takes(large, '9007199254740994'))
  })

  it('have bounded digits, and exponents only where no bound is', () => {
    const any = made({})
    for (const text of ['0', '-0', '12.5', '1e5', '-1.5E-07', '123456789012345'])
      assert.ok(takes(any, text), text)
    for (const text of [
      '',
      '-',
      '01',
      '1.',
      '.5',
      '+1',
      '1e',
      '1e100',
      '1234567890123456',
      '1.'.padEnd(20, '1'),
    ])
      assert.ok(!takes(any, text), text)
    assert.ok(!takes(made({ integer: true }), '1.0'))
    assert.ok(!takes(made({ least: 0 }), '1e5'))
    assert.ok(!takes(made({ least: 0 }), '-0'))
  })

  it('do not exist between bounds that cross', () => {
    assert.equal(made({ least: 2, most: 1 }), undefined)
    assert.equal(made({ least: 1, most: 1, above: true }), undefined)
    assert.equal(made({ integer: true, least: 0.2, most: 0.8 }), undefined)
    assert.ok(takes(made({ least: 0.1, most: 0.1 }), '0.1'))
  })

  it('are refused where a bound is out of reach', () => {
    assert.throws(() => made({ least: 0, above: true, most: 5e-324 }), RangeError)
    assert.throws(() => made({ least: 1e300 }), RangeError)
    assert.throws(() => made({ multiplesOf: [0.01] }), RangeError)
    assert.ok(takes(made({ least: -1.7e308, most: 1.7e308 }), '-12.5'))
    assert.ok(takes(made({ least: 1e16 }), '10000000000000000'))
    assert.ok(takes(made({ most: 1e-20, least: 0, above: true }), '0.00000000000000000001'))
  })
})
