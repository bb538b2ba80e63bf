/** Words whose sound depends on their neighbours or their role: articles, "to", "in", signs, abbreviations. */
import { PRIMARY, SECONDARY } from './alphabet.js'
import { type Context, type Lexicon, parentTag, type Readings, signWords } from './lexicon.js'

/** Signs of an address that are said (tag ADD). */
const addressSigns: ReadonlyMap<string, string> = new Map([
  ['.', 'dot'],
  ['/', 'slash'],
])

/** The pronunciation of a special word (capitals do not change its stress); null for any other word. */
export function specialCase(
  lexicon: Lexicon,
  word: string,
  tag: string,
  stress: number | null,
  context: Context,
): string | null {
  const address = tag === 'ADD' ? addressSigns.get(word) : undefined
  if (address) return lexicon.lookup(address, '', -0.5, context)
  const sign = signWords.get(word)
  if (sign) return lexicon.lookup(sign, '', null, context)
  if (isInitials(word)) return lexicon.spell(word)
  const { futureVowel } = context
  switch (word) {
    case 'a':
    case 'A':
      return tag === 'DT' ? 'ɐ' : 'ˈA'
    case 'am':
    case 'Am':
    case 'AM':
      if (tag.startsWith('NN')) return lexicon.spell(word)
      return futureVowel === null || word !== 'am' || (stress ?? 0) > 0
        ? lexicon.lookup('am', '', null, null)
        : 'ɐm'
    case 'an':
    case 'An':
    case 'AN':
      return word === 'AN' && tag.startsWith('NN') ? lexicon.spell(word) : 'ɐn'
    case 'I':
      return tag === 'PRP' ? `${SECONDARY}I` : null
    case 'by':
    case 'By':
    case 'BY':
      return parentTag(tag) === 'ADV' ? 'bˈI' : null
    case 'TO':
      return tag === 'TO' || tag === 'IN' ? to(lexicon, futureVowel) : null
    case 'to':
    case 'To':
      return to(lexicon, futureVowel)
    case 'IN':
      return tag === 'NNP' ? null : within(tag, futureVowel)
    case 'in':
    case 'In':
      return within(tag, futureVowel)
    case 'THE':
      return tag === 'DT' ? the(futureVowel) : null
    case 'the':
    case 'The':
      return the(futureVowel)
    case 'used':
    case 'Used':
    case 'USED':
      return used(lexicon, tag, context)
    default:
      return tag === 'IN' && /^vs\.?$/i.test(word) ? lexicon.lookup('versus', '', null, context) : null
  }
}

/** Letters with dots between, none of the pieces longer than two: U.S., p.m., J.R. */
function isInitials(word: string): boolean {
  return /^\.*\p{L}{1,2}(?:\.+\p{L}{1,2})+\.*$/u.test(word)
}

function to(lexicon: Lexicon, futureVowel: boolean | null): string | null {
  if (futureVowel === null) return lexicon.lookup('to', '', null, null)
  return futureVowel ? 'tʊ' : 'tə'
}

function within(tag: string, futureVowel: boolean | null): string {
  return futureVowel === null || tag !== 'IN' ? `${PRIMARY}ɪn` : 'ɪn'
}

function the(futureVowel: boolean | null): string {
  return futureVowel ? 'ði' : 'ðə'
}

/** "used to" (jˈust) as against "it is used" (jˈuzd). */
function used(lexicon: Lexicon, tag: string, context: Context): string | null {
  const entry = lexicon.gold('used')
  if (entry == null || typeof entry === 'string') return entry ?? null
  const readings: Readings = entry
  const habit = (tag === 'VBD' || tag === 'JJ') && context.futureTo
  return (habit ? readings.VBD : readings.DEFAULT) ?? null
}
