import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Lexicon, loadLexicon } from '#src/models/kokoro/phonemes/lexicon.js'
import { isNumber, sayCurrency, sayNumber } from '#src/models/kokoro/phonemes/numbers.js'
import { checkpoint } from '../../../root.js'

describe('numbers read aloud', () => {
  let lexicon: Lexicon
  before(() => {
    lexicon = loadLexicon(join(checkpoint('kokoro-82m'), 'lexicon'), 'us')
  })
  /** The phonemes of the words, unstressed where marked with a dot. */
  const words = (text: string): string =>
    text
      .split(' ')
      .map((word) => lexicon.lookup(word.replace('.', ''), '', word.startsWith('.') ? -2 : null, null))
      .join(' ')

  const cases: readonly (readonly [string, string])[] = [
    ['0', 'zero'],
    ['42', 'forty two'],
    ['150', 'one hundred fifty'],
    ['1,250', 'one thousand two hundred fifty'],
    ['85,000', 'eighty five thousand'],
    ['-5', 'minus five'],
    ['1984', 'nineteen eighty four'],
    ['1900', 'nineteen hundred'],
    ['1905', 'nineteen oh five'],
    ['2005', 'two thousand five'],
    ['2050', 'twenty fifty'],
    ['1000', 'one thousand'],
    ['0007', 'seven'],
    ['3rd', 'third'],
    ['21st', 'twenty first'],
    ['1,000th', 'one thousandth'],
    ['2.5', 'two .point five'],
    ['2.50', 'two .point five'],
    ['3.0', 'three'],
    ['0.07', 'zero .point zero seven'],
    ['.25', '.point two five'],
    ['2.0.1', 'two zero one'],
    ['192.168.10.1', 'one nine two one six eight ten one'],
    [
      '1234567890123456789',
      'one two three four five six seven eight nine zero one two three four five six seven eight nine',
    ],
  ]
  for (const [written, said] of cases) {
    it(`${written} is ${said}`, () => {
      assert.ok(isNumber(written, true))
      assert.equal(sayNumber(lexicon, written, null, true), words(said))
    })
  }

  it('reads a number inside a word in digits or pairs', () => {
    assert.equal(sayNumber(lexicon, '16', null, false), words('sixteen'))
    assert.equal(sayNumber(lexicon, '747', null, false), words('seven forty seven'))
    assert.equal(sayNumber(lexicon, '101', null, false), words('one .O one'))
    assert.equal(sayNumber(lexicon, '300', null, false), words('three hundred'))
    assert.equal(sayNumber(lexicon, '07', null, false), words('zero seven'))
    assert.equal(sayNumber(lexicon, '12345', null, false), words('one two three four five'))
  })

  it('reads sums, leaving out the part that is zero', () => {
    const said = (written: string, sign: string): string | null => sayNumber(lexicon, written, sign, true)
    assert.equal(said('12.99', '$'), 'twˈɛlv dˈɑləɹz ænd nˈIndi nˈIn sˈɛnts')
    assert.equal(said('1', '$'), 'wˈʌn dˈɑləɹ')
    assert.equal(said('0.99', '$'), 'nˈIndi nˈIn sˈɛnts')
    assert.equal(said('3.00', '£'), 'θɹˈi pˈWndz')
    assert.equal(said('3.50', '£'), 'θɹˈi pˈWndz ænd fˈɪfti pˈɛns')
    assert.equal(said('1984', '$'), `${words('one thousand nine hundred eighty four')} dˈɑləɹz`)
    assert.equal(sayCurrency(lexicon, '€'), 'jˈʊɹOz')
    assert.equal(sayCurrency(lexicon, '¥'), null)
  })

  it('takes endings', () => {
    assert.equal(sayNumber(lexicon, '1990s', null, true), 'nˌIntˈin nˈIndiz')
    assert.equal(sayNumber(lexicon, "60's", null, true), 'sˈɪkstiz')
    assert.equal(sayNumber(lexicon, "86'd", null, true), `${words('eighty')} sˈɪkst`)
  })

  it('knows what is no number', () => {
    for (const word of ['', 'a', '1a', 'x2', ',', '-', '--5', '3thx'])
      assert.equal(isNumber(word, true), false, word)
    assert.equal(isNumber('-5', false), false)
  })
})
