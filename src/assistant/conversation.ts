/** A conversation as the assistant takes it: roles with texts and recordings, whatever API it came through. */

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Mono float32 samples at 16 kHz. */
  | { readonly kind: 'recording'; readonly samples: Float32Array }

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly Part[]
}

/** What the language model reads for a message: its own text, a blank line, and what each recording says. */
export function readableText(message: Message, transcriptOf: (samples: Float32Array) => string): string {
  const paragraphs = message.parts.flatMap((part) =>
    part.kind === 'text' ? [part.text] : [`The recording says: "${transcriptOf(part.samples)}"`],
  )
  const own = message.parts.filter((part) => part.kind === 'text')
  if (own.length === message.parts.length) return own.map((part) => part.text).join('')
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')
}
