/** One word, or a joined run of word parts, to phonemes by lexicon and rules; nothing is guessed here. */
import type { Context, Lexicon } from './lexicon.js'
import { isNumber, sayCurrency, sayNumber } from './numbers.js'
import { specialCase } from './special.js'
import { inflected } from './suffixes.js'

/** What is asked: a word of the text with its part of speech. */
export interface Word {
  readonly text: string
  /** Penn Treebank tag. */
  readonly tag: string
  /** No other part of the same word stands before it. */
  readonly isHead: boolean
  /** The currency sign whose sum ends with this word, or null. */
  readonly currency: string | null
}

/** No listed word is longer (45), nor is a number that is worth joining: longer runs are not looked up. */
const longestWord = 64

/** The phonemes of a word in its context; null when neither lexicon nor rules know it. */
export function sayWord(lexicon: Lexicon, asked: Word, context: Context): string | null {
  const word = normalise(asked.text)
  const lower = word.toLowerCase()
  const stress = word === lower ? null : word === word.toUpperCase() ? 2 : 0.5
  const found = word.length > longestWord ? null : sayListed(lexicon, word, asked.tag, stress, context)
  if (found !== null) {
    const unit = asked.currency === null ? null : sayCurrency(lexicon, asked.currency)
    return unit === null ? found : `${found} ${unit}`
  }
  return isNumber(word, asked.isHead) ? sayNumber(lexicon, word, asked.currency, asked.isHead) : null
}

/** Straight apostrophes, compatibility forms (ﬁ, Ａ) undone, digits of every script as ASCII. */
function normalise(text: string): string {
  return text
    .replaceAll(/[‘’]/g, "'")
    .normalize('NFKC')
    .replaceAll(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit)))
}

/** The decimal digits of a script stand in a row of ten, zero first. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0)!
  let zero = code
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--
  return (code - zero) % 10
}

function sayListed(
  lexicon: Lexicon,
  written: string,
  tag: string,
  stress: number | null,
  context: Context,
): string | null {
  const special = specialCase(lexicon, written, tag, stress, context)
  if (special !== null) return special
  const word = isOnlyCapitalised(lexicon, written, tag, stress, context) ? written.toLowerCase() : written
  if (lexicon.isKnown(word)) return lexicon.lookup(word, tag, stress, context)
  if (word.endsWith("s'") && lexicon.isKnown(`${word.slice(0, -2)}'s`)) {
    return lexicon.lookup(`${word.slice(0, -2)}'s`, tag, stress, context)
  }
  if (word.endsWith("'") && lexicon.isKnown(word.slice(0, -1))) {
    return lexicon.lookup(word.slice(0, -1), tag, stress, context)
  }
  return inflected(lexicon, word, tag, stress, context)
}

/** A listed word (or a form of one) that merely stands in capitals: WALKED, Walked. Short names keep theirs. */
function isOnlyCapitalised(
  lexicon: Lexicon,
  word: string,
  tag: string,
  stress: number | null,
  context: Context,
): boolean {
  const lower = word.toLowerCase()
  if (word.length < 2 || word === lower || !/^[\p{L}']+$/u.test(word)) return false
  if ((tag === 'NNP' && word.length <= 7) || lexicon.has(word)) return false
  const rest = word.slice(1)
  if (word !== word.toUpperCase() && rest !== rest.toLowerCase()) return false
  return lexicon.has(lower) || inflected(lexicon, lower, tag, stress, context) !== null
}
