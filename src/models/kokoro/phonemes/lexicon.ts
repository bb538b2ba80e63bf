/**
 * The two pronunciation lexicons of an accent, and how a word is looked up in them.
 * Gold is checked by hand and may give several readings by part of speech; silver is larger and less certain.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../../../errors.js'
import { type Accent, PRIMARY, SECONDARY } from './alphabet.js'
import { applyStress } from './stress.js'

/** What is known of the words to the right when a word is spoken. */
export interface Context {
  /** The next sound is a vowel; null at the end of a clause. */
  readonly futureVowel: boolean | null
  /** The next word is "to". */
  readonly futureTo: boolean
}

/** Readings by tag (`DEFAULT`, `VERB`, `VBD`, … and `None`, the form at the end of a clause). */
export type Readings = Readonly<Record<string, string | null>> & { readonly DEFAULT: string | null }
/** One pronunciation, several by tag, or null: the word is spelled. */
export type Entry = string | Readings | null

type Table<T> = Readonly<Record<string, T>>

/** Signs that are said as a word. */
export const signWords: ReadonlyMap<string, string> = new Map([
  ['%', 'percent'],
  ['&', 'and'],
  ['+', 'plus'],
  ['@', 'at'],
])

export class Lexicon {
  readonly accent: Accent
  readonly #gold: Table<Entry>
  readonly #silver: Table<string>

  constructor(accent: Accent, gold: Table<Entry>, silver: Table<string>) {
    this.accent = accent
    this.#gold = gold
    this.#silver = silver
  }

  /** The gold entry; undefined when there is none. */
  gold(word: string): Entry | undefined {
    return find(this.#gold, word)
  }

  /** In gold or silver, as written (or by the rule of capitals). */
  has(word: string): boolean {
    return this.gold(word) !== undefined || find(this.#silver, word) !== undefined
  }

  /** Can {@link lookup} say this word: listed, a letter, or capitals that can be spelled? */
  isKnown(word: string): boolean {
    if (this.has(word) || signWords.has(word)) return true
    if (!/^[A-Za-z]+$/.test(word)) return false
    if (word.length === 1) return true
    if (word === word.toUpperCase() && this.gold(word.toLowerCase()) !== undefined) return true
    const rest = word.slice(1)
    return rest === rest.toUpperCase()
  }

  /** The pronunciation of a known word, by tag and place, with its stress shifted; null when there is none. */
  lookup(written: string, tag: string, stress: number | null, context: Context | null): string | null {
    let word = written
    let isName = false
    if (word === word.toUpperCase() && this.gold(word) === undefined) {
      word = word.toLowerCase()
      isName = tag === 'NNP'
    }
    let entry = this.gold(word)
    if (entry == null && !isName) entry = find(this.#silver, word)
    const found = entry != null && typeof entry === 'object' ? reading(entry, tag, context) : (entry ?? null)
    if (found === null || (isName && !found.includes(PRIMARY))) {
      const spelled = this.spell(word)
      if (spelled !== null) return spelled
    }
    return found === null ? null : applyStress(found, stress)
  }

  /** Letter by letter, the last one stressed: GPU is ʤˌipˌijˈu. Null when a letter has no name in the lexicon. */
  spell(word: string): string | null {
    let phonemes = ''
    for (const letter of word) {
      if (!/\p{L}/u.test(letter)) continue
      const name = this.gold(letter.toUpperCase())
      if (typeof name !== 'string') return null
      phonemes += name
    }
    if (phonemes === '') return null
    phonemes = applyStress(phonemes, 0)
    const last = phonemes.lastIndexOf(SECONDARY)
    return last < 0 ? phonemes : phonemes.slice(0, last) + PRIMARY + phonemes.slice(last + 1)
  }
}

function reading(readings: Readings, tag: string, context: Context | null): string | null {
  let key = tag
  if (context && context.futureVowel === null && Object.hasOwn(readings, 'None')) key = 'None'
  else if (!Object.hasOwn(readings, key)) key = parentTag(tag)
  const found = Object.hasOwn(readings, key) ? readings[key] : readings.DEFAULT
  return found ?? null
}

/** The part of speech of a Penn tag, as gold's readings name it. */
export function parentTag(tag: string): string {
  if (tag.startsWith('VB')) return 'VERB'
  if (tag.startsWith('NN')) return 'NOUN'
  if (tag.startsWith('RB') || tag.startsWith('ADV')) return 'ADV'
  if (tag.startsWith('JJ') || tag.startsWith('ADJ')) return 'ADJ'
  return tag
}

/**
 * A lower-case entry also serves the word with a capital, a capitalised one also the word without; an entry as
 * written wins. Asked for at the look-up, so that no second copy of the lexicon is needed.
 */
function find<T>(table: Table<T>, word: string): T | undefined {
  if (Object.hasOwn(table, word)) return table[word]
  if (word.length < 2) return undefined
  const lower = word.toLowerCase()
  const capitalised = capitalise(lower)
  if (word === capitalised && Object.hasOwn(table, lower)) return table[lower]
  if (word === lower && Object.hasOwn(table, capitalised)) return table[capitalised]
  return undefined
}

function capitalise(lower: string): string {
  return lower.charAt(0).toUpperCase() + lower.slice(1)
}

/**
 * Read `<accent>_gold.json` and `<accent>_silver.json` of a folder.
 * @throws SetupError when a file is missing or is not a JSON object
 */
export function loadLexicon(folder: string, accent: Accent): Lexicon {
  return new Lexicon(
    accent,
    readTable(join(folder, `${accent}_gold.json`)) as Table<Entry>,
    readTable(join(folder, `${accent}_silver.json`)) as Table<string>,
  )
}

function readTable(file: string): Table<unknown> {
  let table: unknown
  try {
    table = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SetupError(`The lexicon ${file} can not be read (${reason}); fetch the checkpoint again.`, {
      cause,
    })
  }
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw new SetupError(`The lexicon ${file} is not a table of words; fetch the checkpoint again.`)
  }
  return table as Table<unknown>
}
