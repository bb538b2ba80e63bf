/**
 * One turn of a conversation as events: hear the recordings, think of a reply, speak it. The streaming and the plain
 * answer read the same events, so the two can not disagree.
 */
import type { Message } from './conversation.js'
import { readableText } from './conversation.js'
import { hear, type Transcript } from './hear.js'
import { intentOf } from './intents.js'
import type { Models } from './registry.js'

export interface ChatRequest {
  readonly messages: readonly Message[]
  /** Kokoro's voice to speak the reply with; null for a written reply. */
  readonly voice: string | null
  /** Whether keyword orders are understood. */
  readonly intents: boolean
  readonly maxTokens: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: readonly string[]
}

/** Tokens of the models that worked on the reply; `audio` is the part that stands for sound. */
export interface Usage {
  readonly prompt: { readonly text: number; readonly audio: number }
  readonly completion: { readonly text: number; readonly audio: number }
}

export type ChatEvent =
  | { readonly kind: 'text'; readonly text: string }
  /** Mono float32 at `sampleRate`. */
  | { readonly kind: 'audio'; readonly samples: Float32Array }
  | { readonly kind: 'end'; readonly reason: 'stop' | 'length'; readonly usage: Usage }

/** @throws ServiceError when the request is at fault, or is cancelled by `signal` */
export async function* chat(
  models: Models,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const reply = { text: '', reason: 'stop' as 'stop' | 'length', prompt: { text: 0, audio: 0 }, tokens: 0 }
  for await (const event of written(models, request, signal)) {
    if (event.kind === 'text') {
      reply.text += event.text
      yield event
    } else Object.assign(reply, event)
  }
  if (request.voice !== null)
    for await (const event of models.kokoro.call(
      { text: reply.text, voice: request.voice, speed: 1 },
      signal,
    ))
      if (event.kind === 'audio') yield { kind: 'audio', samples: event.samples }
  const completion =
    request.voice === null ? { text: reply.tokens, audio: 0 } : { text: 0, audio: reply.tokens }
  yield { kind: 'end', reason: reply.reason, usage: { prompt: reply.prompt, completion } }
}

type Written =
  | { kind: 'text'; text: string }
  | { kind: 'written'; reason: 'stop' | 'length'; prompt: { text: number; audio: number }; tokens: number }

async function* written(models: Models, request: ChatRequest, signal: AbortSignal): AsyncGenerator<Written> {
  const intent = request.intents ? intentOf(request.messages) : null
  if (intent?.kind === 'transcribe') {
    const { text, tokens } = await hear(models, { audio: intent.samples }, signal)
    yield { kind: 'text', text }
    yield { kind: 'written', reason: 'stop', prompt: { text: 0, audio: tokens }, tokens }
  } else if (intent?.kind === 'say') {
    yield { kind: 'text', text: intent.text }
    yield { kind: 'written', reason: 'stop', prompt: { text: 0, audio: 0 }, tokens: 0 }
  } else yield* thought(models, request, signal)
}

/** The language model's reply to the conversation with every recording replaced by what it says. */
async function* thought(models: Models, request: ChatRequest, signal: AbortSignal): AsyncGenerator<Written> {
  const transcripts = new Map<Float32Array, Transcript>()
  for (const { parts } of request.messages)
    for (const part of parts)
      if (part.kind === 'recording')
        transcripts.set(part.samples, await hear(models, { audio: part.samples }, signal))

  const { maxTokens, temperature, topP, seed, stop } = request
  const generate = {
    messages: request.messages.map((message) => ({
      role: message.role,
      content: readableText(message, (samples) => transcripts.get(samples)?.text ?? ''),
    })),
    recordings: [...transcripts.values()].map(({ text }) => text),
    maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
  }
  let audio = 0
  for await (const event of models.llama.call(generate, signal))
    if (event.kind === 'text') yield event
    else if (event.kind === 'start') audio = event.recordingTokens
    else
      yield {
        kind: 'written',
        reason: event.reason,
        prompt: { text: event.promptTokens - audio, audio },
        tokens: event.completionTokens,
      }
}
