/** What the user chose: the voice, and how the model is to think. */
import { element } from './elements.js'

const form = element('settings', HTMLFormElement)
const voices = element('voice', HTMLSelectElement)
const system = element('system', HTMLTextAreaElement)
const numbers = {
  temperature: element('temperature', HTMLInputElement),
  top_p: element('top-p', HTMLInputElement),
  max_completion_tokens: element('max-tokens', HTMLInputElement),
  seed: element('seed', HTMLInputElement),
}

export const voice = () => voices.value

/**
 * The fields of a chat request, or null where a number is not possible; the browser then says which and why.
 * @returns {Record<string, number> | null}
 */
export function sampling() {
  if (!form.reportValidity()) return null
  const given = Object.entries(numbers).filter(([, input]) => input.value !== '')
  return Object.fromEntries(given.map(([field, input]) => [field, input.valueAsNumber]))
}

/** @returns {object[]} the system prompt as messages: one, or none */
export function systemMessages() {
  const content = system.value.trim()
  return content ? [{ role: 'system', content }] : []
}
