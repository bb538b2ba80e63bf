/** Where the voice rises: adding, weakening and moving the stress marks of a finished pronunciation. */
import { heavy, PRIMARY, SECONDARY, vowels } from './alphabet.js'

/**
 * Shift the stress of a pronunciation.
 *
 * `level`: null leaves it; below −1 removes every mark; −1 weakens primary to secondary, as 0 and −0.5 do
 * where there is a primary mark; 0, 0.5 and 1 give a word without marks a secondary one; from 1 on secondary
 * marks are raised where there is no primary one; above 1 a word without marks gets a primary one.
 */
export function applyStress(phonemes: string, level: number | null): string {
  if (level === null) return phonemes
  const primary = phonemes.includes(PRIMARY)
  const secondary = phonemes.includes(SECONDARY)
  if (level < -1) return phonemes.replaceAll(PRIMARY, '').replaceAll(SECONDARY, '')
  if (level === -1 || (primary && (level === 0 || level === -0.5))) {
    return phonemes.replaceAll(SECONDARY, '').replaceAll(PRIMARY, SECONDARY)
  }
  if (!primary && !secondary) {
    if (level === 0 || level === 0.5 || level === 1) return markFirstVowel(phonemes, SECONDARY)
    return level > 1 ? markFirstVowel(phonemes, PRIMARY) : phonemes
  }
  if (level >= 1 && !primary) return phonemes.replaceAll(SECONDARY, PRIMARY)
  return phonemes
}

function markFirstVowel(phonemes: string, mark: string): string {
  const at = [...phonemes].findIndex((sound) => vowels.has(sound))
  return at < 0 ? phonemes : phonemes.slice(0, at) + mark + phonemes.slice(at)
}

/** How long a word sounds: diphthongs and affricates count twice. */
export function stressWeight(phonemes: string): number {
  let weight = 0
  for (const sound of phonemes) weight += heavy.has(sound) ? 2 : 1
  return weight
}

/**
 * A word of several parts has one main stress, not one for each part: "T-shirt", "win-win". Weakens parts in
 * place where more than half (rounded up) of the sounding parts carry a primary mark: the lightest first.
 *
 * `firstIsLetter`: the first sounding part is one character of text (then the second of two parts gives way).
 */
export function balanceStress(parts: { phonemes: string }[], firstIsLetter: boolean): void {
  if (parts.length === 2 && firstIsLetter) {
    const second = parts[1]!
    second.phonemes = applyStress(second.phonemes, -0.5)
    return
  }
  const stressed = parts.filter((part) => part.phonemes.includes(PRIMARY)).length
  if (parts.length < 2 || stressed <= (parts.length + 1) >> 1) return
  const order = parts
    .map((part) => ({
      part,
      primary: part.phonemes.includes(PRIMARY) ? 1 : 0,
      weight: stressWeight(part.phonemes),
    }))
    .sort((a, b) => a.primary - b.primary || a.weight - b.weight)
  for (const { part } of order.slice(0, parts.length >> 1)) part.phonemes = applyStress(part.phonemes, -0.5)
}
