/** A conversation as the assistant takes it: roles with texts and recordings, whatever API it came through. */

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Mono float32 samples at 16 kHz. */
  | { readonly kind: 'recording'; readonly samples: Float32Array }

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly Part[]
}

/**
 * What the language model reads for a message: its own text first, wherever the recordings stand in it, then a
 * paragraph for what each of them says.
 */
export function readableText(message: Message, transcriptOf: (samples: Float32Array) => string): string {
  const own = message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))
  const heard = message.parts.flatMap((part) =>
    part.kind === 'recording' ? [`The recording says: "${transcriptOf(part.samples)}"`] : [],
  )
  return [own.join(''), ...heard].filter((paragraph) => paragraph !== '').join('\n\n')
}
