/** Thinking: a conversation, with every recording replaced by what it says, to the language model's reply. */
import { type Message, readableText } from './conversation.js'
import { hear, type Transcript } from './hear.js'
import type { Models } from './registry.js'

export interface ThinkRequest {
  readonly messages: readonly Message[]
  readonly maxTokens: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: readonly string[]
}

export type ThinkEvent =
  /** All recordings are heard, and there is room for the conversation: from here on it is thinking. */
  | { readonly kind: 'start' }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'end'
      readonly reason: 'stop' | 'length'
      /** Tokens of the prompt; `audio` are those that stand for recordings. */
      readonly prompt: { readonly text: number; readonly audio: number }
      readonly tokens: number
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

  const request = {
    ...options,
    messages: messages.map((message) => ({
      role: message.role,
      content: readableText(message, (samples) => transcripts.get(samples)?.text ?? ''),
    })),
    recordings: [...transcripts.values()].map(({ text }) => text),
  }
  const prompt = { text: 0, audio: 0 }
  for await (const event of models.llama.call(request, signal))
    if (event.kind === 'text') yield { kind: 'text', text: event.text }
    else if (event.kind === 'start') {
      prompt.audio = event.recordingTokens
      prompt.text = event.promptTokens - prompt.audio
      yield { kind: 'start' }
    } else if (event.kind === 'end' && event.reason !== 'calls')
      yield { kind: 'end', reason: event.reason, prompt, tokens: event.completionTokens }
}
