import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Accent } from '#src/models/kokoro/phonemes/alphabet.js'
import { createFallback, guessWord } from '#src/models/kokoro/phonemes/fallback.js'
import { soundLetters } from '#src/models/kokoro/phonemes/letters.js'
import { type Lexicon, loadLexicon } from '#src/models/kokoro/phonemes/lexicon.js'
import { checkpoint } from '../../../root.js'

const folder = join(checkpoint('kokoro-82m'), 'lexicon')

/** Levenshtein distance of two strings of phonemes. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** Sounds without stress marks; the weak vowels that readers exchange freely are one. */
const plain = (phonemes: string): string =>
  phonemes.replaceAll(/[ˈˌ]/g, '').replaceAll('ᵻ', 'ɪ').replaceAll('ᵊ', 'ə')

/** Phoneme error rate over every 25th gold word of four letters or more. */
function errorRate(accent: Accent, say: (word: string) => string): number {
  const gold = JSON.parse(readFileSync(join(folder, `${accent}_gold.json`), 'utf8')) as Record<
    string,
    unknown
  >
  const words = Object.entries(gold).filter(
    ([word, sound]) => typeof sound === 'string' && /^[A-Za-z][a-z]{3,}$/.test(word),
  )
  let errors = 0
  let sounds = 0
  for (let i = 0; i < words.length; i += 25) {
    const [word, sound] = words[i]!
    const wanted = plain(String(sound))
    errors += distance(plain(say(word.toLowerCase())), wanted)
    sounds += wanted.length
  }
  return errors / sounds
}

describe('words in no lexicon', () => {
  let us: Lexicon
  let gb: Lexicon
  before(() => {
    us = loadLexicon(folder, 'us')
    gb = loadLexicon(folder, 'gb')
  })

  it('are guessed from their letters with few wrong sounds', () => {
    const american = errorRate('us', (word) => soundLetters(word, 'us'))
    const british = errorRate('gb', (word) => soundLetters(word, 'gb'))
    assert.ok(american < 0.19, `us ${american.toFixed(4)}`)
    assert.ok(british < 0.2, `gb ${british.toFixed(4)}`)
  })

  it('are guessed better from the words in them', () => {
    const american = errorRate('us', (word) => guessWord(us, word))
    const british = errorRate('gb', (word) => guessWord(gb, word))
    assert.ok(american < 0.14, `us ${american.toFixed(4)}`)
    assert.ok(british < 0.155, `gb ${british.toFixed(4)}`)
  })

  const cases: readonly (readonly [string, string, string])[] = [
    ['letters', 'Frodo', 'fɹˈOdO'],
    ['letters', 'Flimbergast', 'flˈɪmbəɹɡˌæst'],
    ['letters', 'Zorblaxians', 'zɔɹblˈAksiənz'],
    ['letters', 'Dostoyevsky', 'dˌɑstYˈɛvski'],
    ['possessive', "Zorblax's", 'zˈɔɹbləksᵻz'],
    ['ending', 'vlogged', 'vlˈɑɡd'],
    ['prefix', 'underpowered', 'ˌʌndəɹpˈWəɹd'],
    ['accents', 'café', 'kæfˈA'],
    ['accents', 'naïve', 'nɑˈiv'],
    ['unit', 'kg', 'kˈɪləɡɹˌæmz'],
    ['abbreviation', 'Jr.', 'ʤˈunjəɹ'],
    ['spelled', 'xzq', 'ˌɛkszˌikjˈu'],
    ['no letters', '漢字', ''],
    ['no letters', '', ''],
  ]
  for (const [kind, word, expected] of cases) {
    it(`${kind}: ${word}`, () => assert.equal(createFallback(us)(word, ''), expected))
  }

  it('have British sounds with a British lexicon', () => {
    assert.equal(createFallback(gb)('Zorblaxians', ''), 'zɔːblˈAksiənz')
    assert.equal(createFallback(gb)('Quenthor', ''), 'kwˈɛnθə')
    assert.equal(createFallback(gb)('Frodo', ''), 'fɹˈQdQ')
  })
})
