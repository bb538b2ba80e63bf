/**
 * English text to Kokoro's phonemes: tokens, tags, then from the last word to the first, because the sound of
 * "the", "to" or "in" depends on what follows. Written to agree with misaki 0.9.4, which the model was trained with.
 */
import { type Accent, toModelAlphabet } from './alphabet.js'
import { createFallback } from './fallback.js'
import { type Said, sayGroup } from './groups.js'
import { type Context, loadLexicon } from './lexicon.js'
import { cutIntoGroups } from './parts.js'
import { tagTokens } from './tags.js'
import { tokenise } from './tokens.js'

export type { Accent } from './alphabet.js'

export interface Phonemiser {
  /**
   * Text to a string of Kokoro's phonemes, punctuation kept. Words in no lexicon are guessed; signs and scripts that
   * are not English are left out, so the result can be empty. Takes time linear in the length of the text.
   */
  phonemise(text: string): string
}

/** Nothing follows the last word: a clause ends there. */
const atEnd: Context = { futureVowel: null, futureTo: false }

/**
 * Load the lexicons of one accent (about 6 MB of JSON).
 * @param lexiconFolder holds `<accent>_gold.json` and `<accent>_silver.json`
 * @throws SetupError when a lexicon is missing or damaged
 */
export function loadPhonemiser(lexiconFolder: string, accent: Accent): Phonemiser {
  const lexicon = loadLexicon(lexiconFolder, accent)
  const fallback = createFallback(lexicon)
  const phonemise = (text: string): string => {
    const groups = cutIntoGroups(tagTokens(tokenise(text)))
    const spoken: string[] = new Array(groups.length)
    let context = atEnd
    for (let i = groups.length - 1; i >= 0; i--) {
      const group = groups[i]!
      const said: Said = sayGroup(lexicon, group, context, fallback)
      context = said.context
      spoken[i] = said.phonemes + (group.at(-1)!.space ? ' ' : '')
    }
    return toModelAlphabet(spoken.join('')).replaceAll(/ {2,}/g, ' ').trim()
  }
  return { phonemise }
}
