/**
 * Kokoro's phoneme alphabet: IPA with one character for every diphthong and affricate
 * (A = eɪ, I = aɪ, O = oʊ, Q = əʊ, W = aʊ, Y = ɔɪ, ʤ, ʧ). A stress mark stands directly before its vowel.
 */

/** American or British English: which lexicons, sounds and spellings are used. */
export type Accent = 'us' | 'gb'

export const PRIMARY = 'ˈ'
export const SECONDARY = 'ˌ'

export const vowels: ReadonlySet<string> = new Set('AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ')
export const consonants: ReadonlySet<string> = new Set('bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ')

/** Sounds that count double when the weight of a word is compared: diphthongs and affricates. */
export const heavy: ReadonlySet<string> = new Set('AIOQWYʤʧ')

/** American t becomes a tap between one of these and a weak vowel. */
export const beforeTap: ReadonlySet<string> = new Set('AIOWYiuæɑəɛɪɹʊʌ')

/** Signs that close or interrupt a clause: what comes before them is at a clause end. */
export const clauseMarks: ReadonlySet<string> = new Set(';:,.!?—…')

/** Every sign of punctuation the model knows how to speak (as a pause or a tone). */
export const spokenMarks: ReadonlySet<string> = new Set(';:,.!?—…"“”')

/** What may stand inside a word without being said. */
const silentInside: ReadonlySet<string> = new Set("',-._‘’/")

/** True when all of the text is hyphens, dots, commas, slashes, underscores and apostrophes. */
export function isSilentInside(text: string): boolean {
  for (const sign of text) if (!silentInside.has(sign)) return false
  return true
}

/** The last step for this model: the tap is written T and the glottal stop t. */
export function toModelAlphabet(phonemes: string): string {
  return phonemes.replaceAll('ɾ', 'T').replaceAll('ʔ', 't')
}
