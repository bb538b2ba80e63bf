/** Thinking: a conversation, with every recording replaced by what it says, to the language model's replies. */
import type { GenerateEvent, GenerateRequest } from '../models/llama/request.js'
import { type Message, readableText } from './conversation.js'
import { hear, type Transcript } from './hear.js'
import type { Models } from './registry.js'

export interface ThinkRequest extends Omit<GenerateRequest, 'messages' | 'recordings'> {
  readonly messages: readonly Message[]
}

/** What the model thinks before it answers is no part of the answer, as in OpenAI's API: it is only counted. */
export type ThinkEvent =
  /** All recordings are heard, and the conversation is read: from here on it is thinking. */
  | { readonly kind: 'start'; readonly prompt: PromptTokens }
  | Exclude<GenerateEvent, { kind: 'start' | 'reasoning' }>

export interface PromptTokens {
  readonly text: number
  /** Those that stand for recordings. */
  readonly audio: number
  /** Of both: those that were not computed anew. */
  readonly cached: number
}

export async function* think(
  models: Models,
  { messages, ...options }: ThinkRequest,
  signal: AbortSignal,
): AsyncGenerator<ThinkEvent> {
  const transcripts = new Map<Float32Array, Transcript>()
  for (const { parts } of messages)
    for (const part of parts)
      if (part.kind === 'recording')
        transcripts.set(part.samples, await hear(models, { audio: part.samples }, signal))

  const request: GenerateRequest = {
    ...options,
    messages: messages.map((message) => {
      const { parts: _, ...who } = message
      return { ...who, content: readableText(message, (samples) => transcripts.get(samples)?.text ?? '') }
    }),
    recordings: [...transcripts.values()].map(({ text }) => text),
  }
  for await (const event of models.llama.call(request, signal))
    if (event.kind === 'start') {
      const { promptTokens, recordingTokens: audio, cachedTokens: cached } = event
      yield { kind: 'start', prompt: { text: promptTokens - audio, audio, cached } }
    } else if (event.kind !== 'reasoning') yield event
}
