/**
 * Numbers read aloud: years, ordinals, decimals, digits one by one, sums of money. The words of a number come
 * from n2words (American, so without "and"); their sounds from the lexicon.
 */
import { toCardinal, toOrdinal } from 'n2words/en-US'
import type { Lexicon } from './lexicon.js'
import { addEd, addIng, addS, inflected } from './suffixes.js'

/** Unit and hundredth of the currencies that are said. */
const currencies: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['$', ['dollar', 'cent']],
  ['£', ['pound', 'pence']],
  ['€', ['euro', 'cent']],
])

export function isCurrency(sign: string): boolean {
  return currencies.has(sign)
}

/** Longer whole numbers are read digit by digit: nobody follows "quintillion". */
const longestCardinal = 18

const shape = /^(-?)([\d.,]+)(ing|'d|ed|'s|st|nd|rd|th|s)?$/

/**
 * Is this a number, perhaps with one of the endings that {@link sayNumber} reads ("1990s", "3rd", "1,250")?
 * `isHead`: the word starts here (a minus sign may lead).
 */
export function isNumber(word: string, isHead: boolean): boolean {
  const match = shape.exec(word)
  return match !== null && /\d/.test(word) && (isHead || match[1] === '')
}

/**
 * The phonemes of a number, words separated by blanks; null when it is not a number.
 * @param currency the sign that stood before it, or null
 * @param isHead false for a number inside a longer word (BA2490, 3-2): read in digits or pairs
 */
export function sayNumber(
  lexicon: Lexicon,
  word: string,
  currency: string | null,
  isHead: boolean,
): string | null {
  const match = shape.exec(word)
  if (!match) return null
  const [, minus = '', number = '', suffix = ''] = match
  const ordinal = suffix === 'st' || suffix === 'nd' || suffix === 'rd' || suffix === 'th'
  const units = currency === null ? undefined : currencies.get(currency)
  const words: string[] = minus ? ['minus'] : []
  const digitsOnly = /^\d+$/.test(number)
  if (digitsOnly && ordinal && number.length <= longestCardinal) words.push(...ordinalWords(number))
  else if (!minus && !units && digitsOnly && number.length === 4) words.push(...yearWords(number))
  else if (!isHead && !number.includes('.')) words.push(...insideWords(number.replaceAll(',', '')))
  else if (!isHead || number.indexOf('.') !== number.lastIndexOf('.')) words.push(...versionWords(number))
  else if (units && isSum(number)) words.push(...moneyWords(number, units))
  else words.push(...plainWords(number, ordinal))
  const phonemes = words.map((one) => sayNumberWord(lexicon, one)).filter((one) => one !== null)
  if (phonemes.length === 0) return null
  const { accent } = lexicon
  const joined = phonemes.join(' ')
  if (suffix === 's' || suffix === "'s") return addS(joined, accent)
  if (suffix === 'ed' || suffix === "'d") return addEd(joined, accent)
  if (suffix === 'ing') return addIng(joined, accent)
  return joined
}

/** The unit of a currency in the plural, as said after "three million"; null for an unknown sign. */
export function sayCurrency(lexicon: Lexicon, sign: string): string | null {
  const unit = currencies.get(sign)?.[0]
  return unit ? inflected(lexicon, `${unit}s`, '', null, null) : null
}

/** "point" and the O of "one O one" carry no stress; a plural unit is a stem with s. */
function sayNumberWord(lexicon: Lexicon, word: string): string | null {
  if (word === 'point' || word === 'O') return lexicon.lookup(word, '', -2, null)
  if (word.endsWith('s'))
    return inflected(lexicon, word, '', null, null) ?? lexicon.lookup(word, '', null, null)
  return lexicon.lookup(word, '', null, null)
}

const split = (words: string): string[] => words.split(/[^a-z]+/)

/** Whole number to words; beyond {@link longestCardinal} digits one by one. */
function cardinalWords(digits: string): string[] {
  return digits.length > longestCardinal ? digitWords(digits) : split(toCardinal(BigInt(digits)))
}

const digitNames = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const digitWords = (digits: string): string[] => [...digits].map((digit) => digitNames[Number(digit)]!)

function ordinalWords(digits: string): string[] {
  const value = BigInt(digits)
  return value === 0n ? ['zeroth'] : split(toOrdinal(value))
}

/** 1984 nineteen eighty-four, 1905 nineteen oh five, 1900 nineteen hundred, 2005 two thousand five. */
function yearWords(digits: string): string[] {
  const high = Number(digits.slice(0, 2))
  const low = Number(digits.slice(2))
  if (high === 0 || (high % 10 === 0 && low < 10)) return cardinalWords(digits)
  const first = cardinalWords(String(high))
  if (low === 0) return [...first, 'hundred']
  return [...first, ...(low < 10 ? ['oh'] : []), ...cardinalWords(String(low))]
}

/** Inside a word: 1234 digit by digit, 747 seven forty-seven, 101 one O one, 16 sixteen. */
function insideWords(digits: string): string[] {
  if (digits.startsWith('0') || digits.length > 3) return digitWords(digits)
  if (digits.length < 3 || digits.endsWith('00')) return cardinalWords(digits)
  const [first, ...rest] = digits
  return rest[0] === '0'
    ? [...digitWords(first!), 'O', ...digitWords(rest[1]!)]
    : [...digitWords(first!), ...cardinalWords(rest.join(''))]
}

/** Pieces between dots, as in a version or an address: 2.0.1 two zero one. */
function versionWords(number: string): string[] {
  return number
    .replaceAll(',', '')
    .split('.')
    .filter((piece) => piece !== '')
    .flatMap((piece) =>
      piece.startsWith('0') || (piece.length !== 2 && /[1-9]/.test(piece.slice(1)))
        ? digitWords(piece)
        : cardinalWords(piece),
    )
}

/** A sum has at most two decimals ($12.99); $2.999 is a plain number. */
function isSum(number: string): boolean {
  const decimals = number.split('.')[1]
  return decimals === undefined || decimals.length < 3 || /^0+$/.test(decimals)
}

/** "twelve dollars and ninety-nine cents"; a part that is zero is left out. */
function moneyWords(number: string, units: readonly [string, string]): string[] {
  const [whole = '', hundredths] = number.replaceAll(',', '').split('.')
  const part = (digits: string, unit: string): string[] => {
    const words = cardinalWords(digits || '0')
    return [...words, /^0*1$/.test(digits) || unit === 'pence' ? unit : `${unit}s`]
  }
  const isZero = (digits: string): boolean => /^0*$/.test(digits)
  if (hundredths === undefined || isZero(hundredths)) return part(whole, units[0])
  if (isZero(whole)) return part(hundredths, units[1])
  return [...part(whole, units[0]), 'and', ...part(hundredths, units[1])]
}

/** A number on its own: cardinal, ordinal (1,000th) or decimal; trailing zeros of a decimal are not said. */
function plainWords(number: string, ordinal: boolean): string[] {
  const [whole = '', decimals] = number.replaceAll(',', '').split('.')
  if (decimals === undefined) {
    return ordinal && whole.length <= longestCardinal ? ordinalWords(whole) : cardinalWords(whole)
  }
  if (whole === '') return ['point', ...digitWords(decimals)]
  const said = decimals.replace(/0+$/, '')
  return said === '' ? cardinalWords(whole) : [...cardinalWords(whole), 'point', ...digitWords(said)]
}
