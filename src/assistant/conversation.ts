/** A conversation as the assistant takes it: roles with texts and recordings, whatever API it came through. */
import type { PastToolCall } from '../models/llama/request.js'

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Mono float32 samples at 16 kHz. */
  | { readonly kind: 'recording'; readonly samples: Float32Array }

interface Parts {
  readonly parts: readonly Part[]
}
export type Message =
  | (Parts & { readonly role: 'system' | 'user' })
  | (Parts & { readonly role: 'assistant'; readonly toolCalls?: readonly PastToolCall[] })
  /** What a call gave. */
  | (Parts & { readonly role: 'tool'; readonly callId: string })

/**
 * What the language model reads for a message: its own text first, wherever the recordings stand in it, then a
 * paragraph for what each of them says.
 */
export function readableText({ parts }: Parts, transcriptOf: (samples: Float32Array) => string): string {
  const own = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))
  const heard = parts.flatMap((part) =>
    part.kind === 'recording' ? [`The recording says: "${transcriptOf(part.samples)}"`] : [],
  )
  return [own.join(''), ...heard].filter((paragraph) => paragraph !== '').join('\n\n')
}
