/** One group of word parts: the longest known run from the right, then the rest, then one stress for the whole. */
import { clauseMarks, consonants, isSilentInside, vowels } from './alphabet.js'
import type { Context, Lexicon } from './lexicon.js'
import type { Part } from './parts.js'
import { balanceStress } from './stress.js'
import { sayWord, type Word } from './words.js'

/** Says a part that neither lexicon nor rules know. */
export type Fallback = (text: string, tag: string) => string

/** At most so many parts are said together (U.S.S.R. has eight), and longer groups are no words at all. */
const longestRun = 12
const longestGroup = 64

/** Spoken text of a group, and what the word before it needs to know. */
export interface Said {
  readonly phonemes: string
  readonly context: Context
}

/** Say the parts of a group; the context is that of the word after it. */
export function sayGroup(lexicon: Lexicon, group: readonly Part[], after: Context, fallback: Fallback): Said {
  const sounds: { text: string; phonemes: string }[] = group.map(({ text }) => ({ text, phonemes: '' }))
  const run = group.length > longestGroup ? 1 : longestRun
  let context = after
  let right = group.length
  while (right > 0) {
    const found = longestKnown(lexicon, group, right, run, context)
    const left = found?.left ?? right - 1
    const part = group[left]!
    const phonemes = found?.phonemes ?? part.phonemes ?? guess(part, fallback)
    sounds[left]!.phonemes = phonemes
    if (phonemes !== '') context = contextBefore(context, phonemes, part.text)
    right = left
  }
  return { phonemes: joined(sounds), context }
}

function guess(part: Part, fallback: Fallback): string {
  return isSilentInside(part.text) ? '' : fallback(part.text, part.tag)
}

/** The longest run of parts that ends before `right` and is known as one word. */
function longestKnown(
  lexicon: Lexicon,
  group: readonly Part[],
  right: number,
  run: number,
  context: Context,
): { left: number; phonemes: string } | null {
  for (let left = Math.max(0, right - run); left < right; left++) {
    const parts = group.slice(left, right)
    if (parts.some((part) => part.phonemes !== null)) continue
    const phonemes = sayWord(lexicon, merged(parts), context)
    if (phonemes !== null) return { left, phonemes }
  }
  return null
}

/** Parts as one word: the tag is that of the part with most letters, capitals counting double. */
function merged(parts: readonly Part[]): Word {
  const first = parts[0]!
  if (parts.length === 1) return first
  let best = first
  let most = -1
  for (const part of parts) {
    let letters = 0
    for (const letter of part.text) letters += letter === letter.toLowerCase() ? 1 : 2
    if (letters > most) {
      most = letters
      best = part
    }
  }
  const currency = parts.find((part) => part.currency !== null)?.currency ?? null
  return { text: parts.map((part) => part.text).join(''), tag: best.tag, isHead: first.isHead, currency }
}

/** Parts of different kinds (letters, digits, signs) are said as separate words; the rest is one word. */
function joined(sounds: { text: string; phonemes: string }[]): string {
  if (sounds.length === 1) return sounds[0]!.phonemes
  const text = sounds.map((sound) => sound.text).join('')
  const spoken = sounds.filter((sound) => sound.phonemes !== '')
  if (text.includes('/') || kindsOf(text) > 1) return spoken.map((sound) => sound.phonemes).join(' ')
  balanceStress(spoken, spoken[0]?.text.length === 1)
  return spoken.map((sound) => sound.phonemes).join('')
}

function kindsOf(text: string): number {
  const kinds = new Set<string>()
  for (const sign of text) {
    if (isSilentInside(sign)) continue
    kinds.add(/\p{L}/u.test(sign) ? 'letter' : /[0-9]/.test(sign) ? 'digit' : 'sign')
  }
  return kinds.size
}

/** What the word before sees: does this one begin with a vowel, is it "to", is there a clause end between? */
export function contextBefore(context: Context, phonemes: string, text: string): Context {
  let futureVowel = context.futureVowel
  for (const sound of phonemes) {
    if (vowels.has(sound)) futureVowel = true
    else if (consonants.has(sound)) futureVowel = false
    else if (clauseMarks.has(sound)) futureVowel = null
    else continue
    break
  }
  return { futureVowel, futureTo: text === 'to' || text === 'To' }
}
