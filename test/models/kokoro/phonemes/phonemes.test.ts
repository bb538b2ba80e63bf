import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Accent } from '#src/models/kokoro/phonemes/alphabet.js'
import { loadPhonemiser, type Phonemiser } from '#src/models/kokoro/phonemes/phonemes.js'
import { checkpoint, root } from '../../../root.js'

interface Spoken {
  readonly phonemes: string
  readonly fallback: readonly string[]
}
interface Row extends Readonly<Record<Accent, Spoken>> {
  readonly id: string
  readonly text: string
}
const golden = JSON.parse(readFileSync(join(root, 'test/golden/kokoro/g2p.json'), 'utf8')) as {
  readonly items: readonly Row[]
}
const folder = join(checkpoint('kokoro-82m'), 'lexicon')

/** Length of the longest common subsequence: how many words of the reference were said, in order. */
function common(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const word of a) {
    const next = [0]
    b.forEach((other, j) => {
      next.push(word === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!))
    })
    row = next
  }
  return row[b.length]!
}

/** Rows that differ on purpose: "bass drum" is bˈAs; the dots of a mail address are said. */
const onPurpose: Readonly<Record<Accent, readonly string[]>> = {
  us: ['g156', 'g210', 'g216'],
  gb: ['g156', 'g216'],
}

describe('text to phonemes', () => {
  const phonemisers = new Map<Accent, Phonemiser>()
  before(() => {
    for (const accent of ['us', 'gb'] as const) phonemisers.set(accent, loadPhonemiser(folder, accent))
  })
  const us = (text: string): string => phonemisers.get('us')!.phonemise(text)

  for (const accent of ['us', 'gb'] as const) {
    it(`agrees with the reference on the rows that need no guessing (${accent})`, () => {
      const rows = golden.items.filter((row) => row[accent].fallback.length === 0)
      assert.equal(rows.length, accent === 'us' ? 351 : 346)
      const different: string[] = []
      let words = 0
      let same = 0
      for (const row of rows) {
        const said = phonemisers.get(accent)!.phonemise(row.text)
        const wanted = row[accent].phonemes
        if (said !== wanted) different.push(row.id)
        words += wanted.split(' ').length
        same += common(said.split(' '), wanted.split(' '))
      }
      assert.deepEqual(different, onPurpose[accent])
      assert.ok(same / words >= 0.999, `${same} of ${words} words`)
    })

    it(`says every row in the model's own alphabet (${accent})`, () => {
      const config = JSON.parse(readFileSync(join(checkpoint('kokoro-82m'), 'config.json'), 'utf8')) as {
        readonly vocab: Readonly<Record<string, number>>
      }
      for (const { text } of golden.items) {
        for (const sound of phonemisers.get(accent)!.phonemise(text)) {
          assert.ok(Object.hasOwn(config.vocab, sound), `${JSON.stringify(sound)} in ${text}`)
        }
      }
    })
  }

  it('lets the next word decide how the, to and in sound', () => {
    assert.equal(us('the apple, the pear'), 'ði ˈæpᵊl, ðə pˈɛɹ')
    assert.equal(us('to Italy, to France, go to'), 'tʊ ˈɪTəli, tə fɹˈæns, ɡˌO tu')
    assert.equal(us('He is in it and he is in.'), 'hˌi ɪz ɪn ɪt ænd hi ɪz ˈɪn.')
  })

  it('says sums of money, also of millions', () => {
    assert.equal(us('$2.5 million'), 'tˈu pYnt fˈIv mˈɪljᵊn dˈɑləɹz')
    assert.equal(us('£0.50'), 'fˈɪfti pˈɛns')
    assert.equal(us('$5, €1'), 'fˈIv dˈɑləɹz, wˈʌn jˈʊɹO')
  })

  it('keeps punctuation, and nothing of what can not be said', () => {
    assert.equal(us('“Wait…” (he) said: no!'), '“wˈAt…” (hi) sˈɛd: nˈO!')
    assert.equal(us('Love ❤️ and 漢字, привет'), 'lˈʌv ænd ,')
    assert.equal(us(''), '')
    assert.equal(us(' \n\t '), '')
    assert.equal(us('\u0000\ud800\u200b'), '')
  })

  it('is not fooled by the names of object properties', () => {
    assert.equal(us('constructor'), 'kənstɹˈʌktəɹ')
    assert.notEqual(us('__proto__ hasOwnProperty valueOf toString'), '')
  })

  it('takes linear time for whatever a client sends', () => {
    const repeated = (pattern: string): string => pattern.repeat(Math.ceil(100_000 / pattern.length))
    const texts = [
      'a',
      'A',
      'aA',
      'qed',
      'zorblax ',
      '7',
      '1x',
      '$1',
      '.',
      'a.',
      'a-',
      "a'",
      '"',
      '漢',
      '\u0301',
      '  ',
    ].map(repeated)
    texts.push(`http://${repeated('a.b/')}`, `$${repeated('9')}`, `-${repeated('1.')}`)
    for (const text of texts) {
      const start = performance.now()
      us(text)
      const took = performance.now() - start
      assert.ok(took < 4000, `${JSON.stringify(text.slice(0, 20))} took ${took.toFixed(0)} ms`)
    }
  })

  it('says something, or nothing, to every odd sign', () => {
    const odd =
      "é|a\u0301|ough|1,|1:|٣|$|½|..a|a_|'|?!|(|()|a/|a@|a:|=|&|%|+|*|—|…|привет |😀|\u0000|\ud800|ﷺ|\n|a1B2.c-_'\""
    for (const pattern of odd.split('|')) assert.equal(typeof us(pattern.repeat(300)), 'string', pattern)
  })

  it('says 4096 characters within 50 ms when warm', () => {
    const sentence =
      'The fox of Zorblaxia paid $12.99 for 3 kg of well-known apples at 10:30 a.m. on May 5th, 1984. '
    const text = sentence.repeat(50).slice(0, 4096)
    const times: number[] = []
    for (let i = 0; i < 30; i++) {
      const start = performance.now()
      us(text)
      times.push(performance.now() - start)
    }
    assert.ok(Math.min(...times) < 50, `${Math.min(...times).toFixed(1)} ms`)
  })

  it('says in one sentence which lexicon is missing', () => {
    assert.throws(() => loadPhonemiser(join(root, 'nowhere'), 'us'), {
      name: 'SetupError',
      message: /us_gold\.json can not be read/,
    })
  })
})
