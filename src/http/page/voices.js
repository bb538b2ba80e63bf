/** The service's voices, under names for people. Kokoro's begin with the accent and the sex: bf_emma. */
import { make } from './elements.js'

/** @type {Record<string, string>} */
const accents = { a: 'American', b: 'British' }
/** @type {Record<string, string>} */
const sexes = { f: 'women', m: 'men' }
const FIRST = 'af_heart'

/**
 * @param {HTMLSelectElement} select
 * @param {readonly string[]} voices
 */
export function offerVoices(select, voices) {
  /** @type {Map<string, HTMLOptGroupElement>} */
  const groups = new Map()
  for (const voice of voices) {
    const [, accent = '', sex = '', name = voice] = /^(\w)(\w)_(\w+)$/.exec(voice) ?? []
    const title = [accents[accent], sexes[sex]].filter(Boolean).join(' ') || 'Others'
    const group = groups.get(title) ?? make('optgroup', '')
    group.label = title
    groups.set(title, group)
    const option = make('option', '', name.charAt(0).toUpperCase() + name.slice(1))
    option.value = voice
    group.append(option)
  }
  select.replaceChildren(...groups.values())
  if (voices.includes(FIRST)) select.value = FIRST
}
