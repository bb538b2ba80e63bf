/** Any English-looking word to phonemes by spelling alone: letters to sounds, then stress, then weak vowels. */
import { type Accent, consonants, PRIMARY, SECONDARY, vowels } from './alphabet.js'
import { letterRules } from './letterrules.js'

/** Sounds of a word by its letters (lower-case a to z; others are passed over). */
export function soundLetters(word: string, accent: Accent): string {
  const sounds = applyRules(word)
  const stressed = placeStress(sounds, word)
  return accent === 'gb' ? toBritish(stressed) : toAmerican(stressed)
}

function applyRules(word: string): string {
  let sounds = ''
  let at = 0
  while (at < word.length) {
    const start = at
    for (const { pattern, sounds: said } of letterRules.get(word[at]!) ?? []) {
      pattern.lastIndex = at
      const match = pattern.exec(word)
      if (!match) continue
      sounds += said
      at += match[0].length
      break
    }
    if (at === start) at++
  }
  return sounds.replaceAll(/([bdfɡklmnpstvzʃʒθ])\1/g, '$1')
}

/** Where endings put the main stress, counted in syllables from the end; the first that fits is taken. */
const stressByEnding: readonly (readonly [RegExp, number])[] = [
  [/(?:ee|eer|ese|ette|esque|aire|ique|oon)s?$/, 1],
  [/(?:[^aeiou]ity|ities|logy|logies|graphy|nomy|metry|cracy|pathy|ical|ically|ify|itude)$/, 3],
  [/(?:tion|sion|cian|tian|cial|tial|cious|tious|cient|tient|gion|gious)s?$/, 2],
  [/(?:ia|ian|ians|ias|ium|ious|eous|ial|ior|iar|ion|iate|uate|uous|ual|ient)s?$/, 3],
  [/(?:ic|ics|ix|ova|ski|sky|owski|ella|elli|etti|ini|ino|ina)$/, 2],
  [/(?:ate|ize|ise|ized|ised)s?$/, 3],
  [/[aoiu]$/, 2],
]

/** These are never stressed: the vowels of weak syllables. */
const weak = new Set('əᵊ')
const long = new Set('AIOWYiuɑɔɜ')

function placeStress(sounds: string, word: string): string {
  const nuclei: number[] = []
  for (let i = 0; i < sounds.length; i++)
    if (vowels.has(sounds[i]!) || sounds[i] === 'ᵊ' || sounds[i] === 'ɒ') nuclei.push(i)
  if (nuclei.length === 0) return sounds
  const canBear = (n: number): boolean => n >= 0 && n < nuclei.length && !weak.has(sounds[nuclei[n]!]!)
  let main = chooseMain(sounds, word, nuclei)
  while (main > 0 && !canBear(main)) main--
  while (main < nuclei.length - 1 && !canBear(main)) main++
  const marks = new Map([[nuclei[main]!, PRIMARY]])
  for (let n = main; n >= 2; ) {
    n = n <= 3 ? 0 : n - 2
    if (canBear(n)) marks.set(nuclei[n]!, SECONDARY)
  }
  const last = nuclei.length - 1
  const closing = sounds[nuclei[last]!]!
  if (last >= main + 2 && /[AIOWYuɑæɒ]$/.test(closing) && nuclei[last]! < sounds.length - 1)
    marks.set(nuclei[last]!, SECONDARY)
  let result = ''
  for (let i = 0; i < sounds.length; i++)
    result += (marks.get(i) ?? '') + (marks.has(i) ? sounds[i] : weaken(sounds, i))
  return result
}

/** By ending; else the first of two syllables; else the last but one when it is heavy, or the one before it. */
function chooseMain(sounds: string, word: string, nuclei: readonly number[]): number {
  const count = nuclei.length
  const ending = stressByEnding.find(([pattern]) => pattern.test(word))
  if (ending) return Math.max(0, count - ending[1])
  if (count < 3) return 0
  const penult = nuclei[count - 2]!
  const between = sounds.slice(penult + 1, nuclei[count - 1])
  const heavy =
    (between !== '' && long.has(sounds[penult]!)) ||
    (between.length > 1 && !/^[pbtdkɡfθ][lɹjw]$/.test(between))
  return count - (heavy ? 2 : 3)
}

/** A short vowel without stress loses its colour; ɜ becomes ə before its r. */
function weaken(sounds: string, at: number): string {
  const sound = sounds[at]!
  if (sound === 'ɜ') return 'ə'
  if (sound === 'æ' || sound === 'ʌ' || sound === 'ɒ')
    return at === 0 && sounds.length > 4 && sound === 'ɒ' ? sound : 'ə'
  if (sound === 'ɛ')
    return consonants.has(sounds[at + 1] ?? '') && sounds[at + 1] !== 'ɹ' && at > 0 ? 'ɪ' : sound
  return sound
}

const tap = /([AIOWYiuæɑəɛɪɹʊʌ])t(?=[əɪiᵊO])/g

function toAmerican(sounds: string): string {
  return sounds.replaceAll('ɒ', 'ɑ').replaceAll(tap, '$1ɾ')
}

/** Southern British: no r but before a vowel, long vowels marked, the vowels of trap, goat and lot. */
function toBritish(sounds: string): string {
  return sounds
    .replaceAll('O', 'Q')
    .replaceAll('æ', 'a')
    .replaceAll(/ɛɹ(?![ˈˌAIQWYaiuɑɒɔəɛɜɪʊʌᵊ])/g, 'ɛː')
    .replaceAll(/ɪɹ(?![ˈˌAIQWYaiuɑɒɔəɛɜɪʊʌᵊ])/g, 'ɪə')
    .replaceAll(/([ɑɔɜu])ɹ(?![ˈˌAIQWYaiuɑɒɔəɛɜɪʊʌᵊ])/g, '$1ː')
    .replaceAll(/ɹ(?![ˈˌAIQWYaiuɑɒɔəɛɜɪʊʌᵊ])/g, '')
    .replaceAll(/([ɑɔɜu])(?!ː)/g, '$1ː')
    .replaceAll(/i(?=.*[^z])(?![əɪ])/g, 'iː')
    .replaceAll(/iː(?=$|z$)/g, 'i')
}
