import assert from 'node:assert/strict'
import { join } from 'node:path'
import { loadPhonemiser, type Phonemiser } from '#src/models/kokoro/phonemes/phonemes.js'
import { cutIntoPieces, lengthOf, type Piece } from '#src/models/kokoro/pieces.js'
import { checkpoint } from '../../root.js'

const long =
  'When the last train had left the station, the old clockmaker locked his little shop, walked slowly across the ' +
  'empty square, and wondered whether anyone would remember him when the morning came and the shutters stayed closed.'

describe('models/kokoro/pieces', () => {
  let phonemiser: Phonemiser
  before(() => {
    phonemiser = loadPhonemiser(join(checkpoint('kokoro-82m'), 'lexicon'), 'us')
  })
  const cut = (text: string, limits = {}): Piece[] => [
    ...cutIntoPieces(text, phonemiser, { most: 200, first: 100, short: 20, ...limits }),
  ]
  const texts = (text: string, limits = {}) => cut(text, limits).map((piece) => piece.text)
  const words = (text: string) => text.split(/\s+/)

  it('makes a piece of a sentence', () => {
    const first = 'The weather is nice today, is it not?'
    const second = 'Tomorrow it is going to rain again.'
    const pieces = cut(`${first} ${second}`)
    assert.deepEqual(
      pieces.map(({ text }) => text),
      [first, second],
    )
    assert.deepEqual(
      pieces.map(({ phonemes }) => phonemes),
      [first, second].map((sentence) => phonemiser.phonemise(sentence)),
    )
  })

  it('joins very short sentences where a pause is written', () => {
    assert.deepEqual(texts('Hello! How are you? Fine.'), ['Hello! How are you? Fine.'])
    assert.deepEqual(texts('Title\n\nAnd then the text begins.'), ['Title', 'And then the text begins.'])
    const joined = cut('Yes. It is.')[0]!
    assert.equal(joined.phonemes, `${phonemiser.phonemise('Yes.')} ${phonemiser.phonemise('It is.')}`)
  })

  it('does not let the first sound wait for a long sentence', () => {
    assert.equal(
      texts(long)[0],
      'When the last train had left the station, the old clockmaker locked his little shop,',
    )
    const later = texts(`Good morning to all of you out there. ${long}`, { most: 300 })
    assert.deepEqual(later, ['Good morning to all of you out there.', long])
  })

  for (const most of [200, 60, 12])
    it(`cuts at clauses, then at words, so that no piece has more than ${most} phonemes`, () => {
      const endless = `${'many words and no comma '.repeat(30)}${long}`
      const pieces = cut(endless, { most })
      for (const { phonemes } of pieces) assert.ok(lengthOf(phonemes) <= most && lengthOf(phonemes) > 0)
      assert.deepEqual(
        pieces.flatMap(({ text }) => words(text)),
        words(endless),
      )
    })

  it('cuts at the clause nearest the middle', () => {
    assert.deepEqual(texts('He came early, she came very late, and we had left.', { most: 40, first: 200 }), [
      'He came early, she came very late,',
      'and we had left.',
    ])
  })

  it('cuts a word that is too long anywhere', () => {
    const word = 'antidisestablishment'.repeat(40)
    const pieces = cut(word)
    assert.ok(pieces.length > 1)
    assert.equal(pieces.map(({ text }) => text).join(''), word)
    for (const { phonemes } of pieces) assert.ok(lengthOf(phonemes) <= 200)
  })

  it('has no piece without a sound', () => {
    for (const text of ['', '  \n ', '🙂🙂', '...', '— “” ()', '日本語', '🙂. !?'])
      assert.deepEqual(texts(text), [], text)
    assert.deepEqual(texts('🙂 Yes, there are some words here. 🙂').length, 1)
  })

  it('looks at no more text than is asked for', () => {
    let asked = 0
    const counting: Phonemiser = {
      phonemise: (text) => {
        asked++
        return phonemiser.phonemise(text)
      },
    }
    const text = 'This is one of many sentences of a text. '.repeat(50)
    cutIntoPieces(text, counting, { most: 200, first: 100, short: 20 }).next()
    assert.ok(asked <= 3, `${asked} sentences were phonemised for the first piece`)
  })
})
