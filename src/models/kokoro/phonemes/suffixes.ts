/** The endings -s, -ed and -ing: how they sound after a stem, and which known stem a word has. */
import { type Accent, beforeTap } from './alphabet.js'
import type { Context, Lexicon } from './lexicon.js'

/** Stem + plural, possessive or third-person s. */
export function addS(stem: string, accent: Accent): string {
  const last = stem.at(-1) ?? ''
  if ('ptkfθ'.includes(last)) return `${stem}s`
  if ('szʃʒʧʤ'.includes(last)) return `${stem}${accent === 'gb' ? 'ɪ' : 'ᵻ'}z`
  return `${stem}z`
}

/** Stem + past ending. An American t between vowels becomes a tap: "batted". */
export function addEd(stem: string, accent: Accent): string {
  const last = stem.at(-1) ?? ''
  if ('pkfθʃsʧ'.includes(last)) return `${stem}t`
  if (last === 'd') return `${stem}${accent === 'gb' ? 'ɪ' : 'ᵻ'}d`
  if (last !== 't') return `${stem}d`
  if (accent === 'gb' || stem.length < 2) return `${stem}ɪd`
  return beforeTap.has(stem.at(-2)!) ? `${stem.slice(0, -1)}ɾᵻd` : `${stem}ᵻd`
}

/** Stem + -ing; null for a British stem in ə or ː, which would need its r back. */
export function addIng(stem: string, accent: Accent): string | null {
  const last = stem.at(-1) ?? ''
  if (accent === 'gb') return 'əː'.includes(last) ? null : `${stem}ɪŋ`
  if (stem.length > 1 && last === 't' && beforeTap.has(stem.at(-2)!)) return `${stem.slice(0, -1)}ɾɪŋ`
  return `${stem}ɪŋ`
}

/** Does the lexicon know this spelling? Given as a function so that the fallback can ask its own question. */
type Known = (stem: string) => boolean

/** The first known spelling of the stem under -s, with or without apostrophe: boxes, cities, James's. */
export function stemOfS(word: string, known: Known): string | null {
  if (word.length < 3 || !word.endsWith('s')) return null
  if (!word.endsWith('ss') && known(word.slice(0, -1))) return word.slice(0, -1)
  const es = word.length > 4 && word.endsWith('es') && !word.endsWith('ies')
  if ((es || word.endsWith("'s")) && known(word.slice(0, -2))) return word.slice(0, -2)
  if (word.length > 4 && word.endsWith('ies') && known(`${word.slice(0, -3)}y`))
    return `${word.slice(0, -3)}y`
  return null
}

/** The first known spelling of the stem under -ed. */
export function stemOfEd(word: string, known: Known): string | null {
  if (word.length < 4 || !word.endsWith('d')) return null
  if (!word.endsWith('dd') && known(word.slice(0, -1))) return word.slice(0, -1)
  const ed = word.length > 4 && word.endsWith('ed') && !word.endsWith('eed')
  return ed && known(word.slice(0, -2)) ? word.slice(0, -2) : null
}

const doubled = /(?:([bcdgklmnprstvxz])\1|ck)ing$/

/** The first known spelling of the stem under -ing: walk, bake, run. */
export function stemOfIng(word: string, known: Known): string | null {
  if (word.length < 5 || !word.endsWith('ing')) return null
  const bare = word.slice(0, -3)
  if (word.length > 5 && known(bare)) return bare
  if (known(`${bare}e`)) return `${bare}e`
  if (word.length > 5 && doubled.test(word) && known(word.slice(0, -4))) return word.slice(0, -4)
  return null
}

/** The word as a known stem with one of the three endings; null when no stem is known. */
export function inflected(
  lexicon: Lexicon,
  word: string,
  tag: string,
  stress: number | null,
  context: Context | null,
): string | null {
  const known = (stem: string): boolean => lexicon.isKnown(stem)
  const { accent } = lexicon
  const say = (
    stem: string | null,
    level: number | null,
    add: (stem: string) => string | null,
  ): string | null => {
    const phonemes = stem === null ? null : lexicon.lookup(stem, tag, level, context)
    return phonemes ? add(phonemes) : null
  }
  return (
    say(stemOfS(word, known), stress, (stem) => addS(stem, accent)) ??
    say(stemOfEd(word, known), stress, (stem) => addEd(stem, accent)) ??
    say(stemOfIng(word, known), stress ?? 0.5, (stem) => addIng(stem, accent))
  )
}
