/** Keyword orders that need no language model: exactly these, documented in the README. */
import type { Message } from './conversation.js'

export type Intent =
  | { readonly kind: 'transcribe'; readonly samples: Float32Array }
  | { readonly kind: 'say'; readonly text: string }

const TRANSCRIBE = /^transcribe( this| the recording)?[.:]?$/i
const SAY = /^(say|read aloud):/i

/**
 * What the last user message orders: one text `transcribe` (`this`, `the recording`) beside one recording asks for
 * the exact transcript; a text that starts with `say:` or `read aloud:` asks for exactly the rest.
 */
export function intentOf(messages: readonly Message[]): Intent | null {
  const parts = messages.findLast(({ role }) => role === 'user')?.parts ?? []
  const texts = parts.filter((part) => part.kind === 'text')
  const recordings = parts.filter((part) => part.kind === 'recording')
  const [text] = texts
  if (text === undefined || texts.length !== 1) return null
  const order = text.text.trim()
  const [recording] = recordings
  if (recording && recordings.length === 1 && TRANSCRIBE.test(order))
    return { kind: 'transcribe', samples: recording.samples }
  if (SAY.test(order)) return { kind: 'say', text: order.replace(SAY, '').trim() }
  return null
}
