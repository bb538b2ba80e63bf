/**
 * Words that no lexicon has: names, new words, abbreviations, words with accents. In this order: a respelling, the
 * word without accents, a known stem with an ending, two known words in one, a known word with an affix, letter
 * names when it can not be spoken, and at last the sounds of its spelling.
 */
import { PRIMARY } from './alphabet.js'
import type { Fallback } from './groups.js'
import { soundLetters } from './letters.js'
import type { Lexicon } from './lexicon.js'
import { respelling } from './respelled.js'
import { applyStress } from './stress.js'
import { addEd, addIng, addS, inflected } from './suffixes.js'

/** Longer strings are not taken apart: they are no words, and their letters are sounded one after the other. */
const longestWord = 40

/** Parts of words that never stand alone, as in McGregor and couldn't've. */
const wordParts: ReadonlyMap<string, string> = new Map([
  ['mc', 'mək'],
  ['ve', 'əv'],
])

/** A guess for every word; '' for what has no Latin letter. */
export function createFallback(lexicon: Lexicon): Fallback {
  return (text, tag) => {
    const said = respelling(text.normalize('NFC'))
    if (said) return said.map((word) => sayPlain(lexicon, word, tag)).join(' ')
    return sayPlain(lexicon, text, tag)
  }
}

function sayPlain(lexicon: Lexicon, text: string, tag: string): string {
  const written = withoutAccents(text)
  const plain = written.toLowerCase().replaceAll(/[^a-z']/g, '')
  if (!/[a-z]/.test(plain)) return ''
  const part = wordParts.get(plain)
  if (part) return part
  const known = listed(lexicon, written, tag) ?? listed(lexicon, plain, tag)
  if (known !== null) return known
  const word = /é(?=s?$)/.test(text) ? plain.replace(/e(?=s?$)/, 'ay') : plain
  if (word.length > longestWord) return soundLetters(word, lexicon.accent)
  if (isUnspeakable(written)) return lexicon.spell(word) ?? ''
  return guessWord(lexicon, word)
}

function listed(lexicon: Lexicon, word: string, tag: string): string | null {
  if (lexicon.has(word)) return lexicon.lookup(word, tag, null, null)
  return word.length > longestWord ? null : inflected(lexicon, word, tag, null, null)
}

/** No vowel letter to build a syllable on (hrs, xyz), or capitals in a row as in a call sign. */
function isUnspeakable(word: string): boolean {
  return !/[aeiouy]/i.test(word) || /^\p{Lu}{2,3}$/u.test(word)
}

/** A lower-case word (a to z and apostrophes) that is not listed. Exported for its own tests. */
export function guessWord(lexicon: Lexicon, word: string): string {
  const { accent } = lexicon
  const letters = word.replaceAll("'", '')
  const stem = (length: number): string => wordOrSound(lexicon, word.slice(0, word.length - length))
  if (/'?'s$/.test(word) && letters.length > 2) return addS(stem(2), accent)
  if (word.endsWith("'ve")) return `${stem(3)}əv`
  if (word.endsWith("'ll")) return `${stem(3)}əl`
  const whole = affixed(lexicon, letters) ?? compound(lexicon, letters)
  if (whole !== null) return whole
  const ending = /^(.*[aeiouy].*?)(?:([^aeiou])\2)?(ed|ing)$/.exec(letters)
  if (ending && letters.length > 5) {
    const [, start = '', double = '', suffix] = ending
    const base = soundLetters(
      start + (double || (/[^aeiou][aeiou][^aeiouwxy]$/.test(start) ? 'e' : '')),
      accent,
    )
    return suffix === 'ed' ? addEd(base, accent) : (addIng(base, accent) ?? `${base}ɹɪŋ`)
  }
  if (/[^aeious]s$/.test(letters) && letters.length > 3)
    return addS(soundLetters(letters.slice(0, -1), accent), accent)
  return soundLetters(letters, accent)
}

function wordOrSound(lexicon: Lexicon, word: string): string {
  return listed(lexicon, word, '') ?? guessWord(lexicon, word)
}

/** Shortest parts of a compound (a second part of three letters is mostly an ending), and shortest word taken apart. */
const shortestFirst = 3
const shortestSecond = 4
const shortestCompound = 7

/** "blockchain": two listed words, the parts as even as can be; the first one keeps the main stress. */
function compound(lexicon: Lexicon, word: string): string | null {
  if (word.length < shortestCompound) return null
  const middle = word.length / 2
  const cuts: number[] = []
  for (let cut = shortestFirst; cut <= word.length - shortestSecond; cut++) cuts.push(cut)
  cuts.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))
  for (const cut of cuts) {
    const first = ordinaryWord(lexicon, word.slice(0, cut))
    const second = first === null ? null : ordinaryWord(lexicon, word.slice(cut))
    if (first !== null && second !== null) return first + applyStress(second, -0.5)
  }
  return null
}

/** A gold word in lower case with a stressed vowel: rules out letters, names and weak forms. */
function ordinaryWord(lexicon: Lexicon, word: string): string | null {
  if (typeof lexicon.gold(word) === 'undefined') return null
  const phonemes = lexicon.lookup(word, '', null, null)
  return phonemes?.includes(PRIMARY) ? phonemes : null
}

const prefixes: readonly (readonly [string, string])[] = [
  ['anti', 'ˌænti'],
  ['counter', 'kˌWntəɹ'],
  ['dis', 'dɪs'],
  ['ex', 'ˌɛks'],
  ['hyper', 'hˌIpəɹ'],
  ['inter', 'ˌɪntəɹ'],
  ['micro', 'mˌIkɹO'],
  ['mis', 'mˌɪs'],
  ['multi', 'mˌʌlti'],
  ['non', 'nˌɑn'],
  ['out', 'ˌWt'],
  ['over', 'ˌOvəɹ'],
  ['pre', 'pɹi'],
  ['re', 'ɹi'],
  ['sub', 'sˌʌb'],
  ['super', 'sˌupəɹ'],
  ['un', 'ˌʌn'],
  ['under', 'ˌʌndəɹ'],
]
const suffixes: readonly (readonly [string, string])[] = [
  ['able', 'əbᵊl'],
  ['er', 'əɹ'],
  ['ers', 'əɹz'],
  ['ful', 'fəl'],
  ['ish', 'ɪʃ'],
  ['ism', 'ˌɪzəm'],
  ['ist', 'ɪst'],
  ['less', 'ləs'],
  ['like', 'lˌIk'],
  ['ly', 'li'],
  ['man', 'mən'],
  ['ment', 'mənt'],
  ['ness', 'nəs'],
  ['ship', 'ʃˌɪp'],
  ['y', 'i'],
]

/** A known word with a prefix or an ending: "refactor", "bloggers". */
function affixed(lexicon: Lexicon, word: string): string | null {
  const british = lexicon.accent === 'gb'
  const adapt = (sounds: string): string =>
    british ? sounds.replaceAll('O', 'Q').replaceAll('ɑ', 'ɒ').replaceAll('æ', 'a') : sounds
  for (const [letters, sounds] of prefixes) {
    if (!word.startsWith(letters) || word.length < letters.length + 4) continue
    const rest = listed(lexicon, word.slice(letters.length), '')
    if (rest?.includes(PRIMARY))
      return (
        adapt(
          british
            ? sounds.replace(/əɹ$/, /^[ˈˌ]?[bdfhjklmnpstvwzðŋɡɹʃʒʤʧθ]/.test(rest) ? 'ə' : 'əɹ')
            : sounds,
        ) + rest
      )
  }
  for (const [letters, sounds] of suffixes) {
    if (!word.endsWith(letters) || word.length < letters.length + 3) continue
    const stem = word.slice(0, -letters.length)
    const base = /^[aeiy]/.test(letters)
      ? (verbStem(lexicon, stem) ?? ordinaryWord(lexicon, stem))
      : ordinaryWord(lexicon, stem)
    if (base !== null) return base + adapt(british ? sounds.replace(/əɹ/, 'ə') : sounds)
  }
  return null
}

/** The stem before a vowel: with its silent e back (bak-er), its y (merri-er) or its doubled letter single (blogg-er). */
function verbStem(lexicon: Lexicon, stem: string): string | null {
  const withY = stem.endsWith('i') ? ordinaryWord(lexicon, `${stem.slice(0, -1)}y`) : null
  if (withY !== null) return withY
  const single = /([bdgklmnprtvz])\1$/.test(stem) ? ordinaryWord(lexicon, stem.slice(0, -1)) : null
  return single ?? ordinaryWord(lexicon, `${stem}e`)
}

/** Accents off, with the letters that English readers put for them: Beyoncé, jalapeño, Łódź. */
function withoutAccents(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('ñ', 'ny')
    .replaceAll('ç', 's')
    .replaceAll('œ', 'oe')
    .replaceAll('æ', 'ae')
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll('Ł', 'L')
    .replaceAll(/[’‘]/g, "'")
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
}
