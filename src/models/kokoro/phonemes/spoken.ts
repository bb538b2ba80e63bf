/**
 * Written forms that are read as other words, before any lexicon is asked: 10:30, 16:9, 20°C, ½, https://…
 * Everything here takes one word of the text without the punctuation around it.
 */

/** A written form's words; `address` when dots and slashes inside are to be said. */
export interface Spoken {
  readonly words: readonly string[]
  readonly address: boolean
}

const fractions: ReadonlyMap<string, string> = new Map([
  ['½', 'half'],
  ['⅓', 'third'],
  ['¼', 'quarter'],
])

const signs: ReadonlyMap<string, string> = new Map([
  ['=', 'equals'],
  ['<', 'less than'],
  ['>', 'greater than'],
  ['×', 'times'],
  ['÷', 'divided by'],
  ['±', 'plus or minus'],
  ['°', 'degrees'],
  ['km/h', 'kilometres per hour'],
  ['¾', 'three quarters'],
  ['⅔', 'two thirds'],
])

/** No form is longer: beyond it the patterns are not tried. */
const longestForm = 512

/** Endings that make a dotted word an address even without www. */
const domain = 'com|org|net|edu|gov|info|int|io|ai|app|dev|co|uk|de|fr|eu|us|ca|au|jp|me|tv'
const url = new RegExp(`^(?:www\\.\\S+|[\\w-]+(?:\\.[\\w-]+)*\\.(?:${domain})(?:[:/?#]\\S*)?)$`, 'i')
const email = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/
const fileName = /^(?:[\w-]*[A-Za-z]{3}[\w-]*\.[a-z]{2,5}|[\w-]+\.[a-z]{3,5})$/
const path = /^(?:[A-Za-z]:)?[\\/][^\s\\/]+(?:[\\/][^\s\\/]*)+$/
const clock = /^([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?([ap]\.?m\.?)?$/i
const ratio = /^(\d{1,9}):(\d{1,9})$/
const degrees = /^([+-]?[\d.,]*\d)°([CF]?)$/
const mixed = /^(\d+)([½⅓¼])$/

/**
 * The words that a written form stands for; null when it is read as it is.
 * @param next the word that follows in the text ("8:00 PM" needs no "o'clock"), or ''
 */
export function spokenForm(written: string, next: string): Spoken | null {
  if (written.length > longestForm) return null
  if (written === 'St.') return plain([/^\p{Lu}/u.test(next) ? 'Saint' : 'Street'])
  const sign = signs.get(written) ?? fractions.get(written)
  if (sign) return plain(sign.split(' '))
  if (!/\d/.test(written)) return addressForm(written)
  let match = clock.exec(written)
  if (match) return plain(clockWords(match, next))
  match = ratio.exec(written)
  if (match) return plain([match[1]!, 'to', match[2]!])
  match = degrees.exec(written)
  if (match) return plain([match[1]!, 'degrees', ...scale(match[2]!)])
  match = mixed.exec(written)
  if (match) return plain([match[1]!, 'and', 'a', fractions.get(match[2]!)!])
  return addressForm(written)
}

const plain = (words: string[]): Spoken => ({ words, address: false })

const scale = (letter: string): string[] => (letter === '' ? [] : [letter === 'C' ? 'Celsius' : 'Fahrenheit'])

/** 10:30 ten thirty, 12:05 twelve oh five, 8:00 eight o'clock, 21:00 twenty-one hundred. */
function clockWords([, hour = '', minute = '', second, half]: RegExpExecArray, next: string): string[] {
  const small = (digits: string): string[] => (digits.startsWith('0') ? ['oh', digits.slice(1)] : [digits])
  const halfDay = half ? [half.toLowerCase().startsWith('a') ? 'a.m.' : 'p.m.'] : []
  const words = [String(Number(hour))]
  if (minute !== '00' || second) words.push(...small(minute))
  else if (!half && !/^[ap]\.?m\b/i.test(next))
    words.push(Number(hour) > 12 || hour === '00' ? 'hundred' : "o'clock")
  if (second) words.push('and', String(Number(second)), Number(second) === 1 ? 'second' : 'seconds')
  return [...words, ...halfDay]
}

/** Web and mail addresses, paths and file names: said with their dots and slashes, without the scheme. */
function addressForm(written: string): Spoken | null {
  const address = written.replace(/^(?:https?|ftp|file):\/\//i, '')
  if (address !== written) return { words: [address.replace(/\/+$/, '')], address: true }
  const isAddress = url.test(written) || email.test(written) || path.test(written) || fileName.test(written)
  return isAddress && /[a-z]/i.test(written) ? { words: [written], address: true } : null
}
