/**
 * One turn of a conversation as events: hear the recordings, think of a reply, speak it. The streaming and the plain
 * answer read the same events, so the two can not disagree.
 */
import { ServiceError } from '../errors.js'
import { hear } from './hear.js'
import { type Intent, intentOf } from './intents.js'
import { merged } from './merged.js'
import { Passages } from './passages.js'
import type { Models } from './registry.js'
import { speak } from './speak.js'
import { type PromptTokens, type ThinkEvent, type ThinkRequest, think } from './think.js'

export interface ChatRequest extends ThinkRequest {
  /** Kokoro's voice to speak the reply with; null for written replies. Only a single reply is spoken. */
  readonly voice: string | null
  /** Whether keyword orders are understood. */
  readonly intents: boolean
  /** The most that an order may have spoken; what the language model says is bounded by its tokens. */
  readonly maxSpeechCharacters: number
}

/** Tokens of the models that worked on the replies. */
export interface Usage {
  readonly prompt: PromptTokens
  readonly completion: {
    readonly text: number
    /** Those of a reply that was spoken. */
    readonly audio: number
    /** Those that were thought before a reply, and are no part of it. */
    readonly reasoning: number
  }
}

/** Mono float32 at the voice's sample rate. */
interface SoundEvent {
  readonly kind: 'audio'
  readonly choice: number
  readonly samples: Float32Array
}

/**
 * The texts, calls and sounds of the replies come as they are made, those of one reply each in their own order;
 * `choice` counts replies from 0.
 */
export type ChatEvent =
  /** All recordings are heard, and whoever answers has read the conversation. */
  | { readonly kind: 'start' }
  | Exclude<ThinkEvent, { kind: 'start' | 'end' }>
  | SoundEvent
  /** A reply is complete. */
  | { readonly kind: 'end'; readonly choice: number; readonly reason: 'stop' | 'length' | 'calls' }
  /** All are. */
  | { readonly kind: 'usage'; readonly usage: Usage }

/** @throws ServiceError when the request is at fault, or is cancelled by `signal` */
export async function* chat(
  models: Models,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const { voice, intents, maxSpeechCharacters, ...thought } = request
  const intent = intents ? intentOf(request.messages) : null
  if (intent?.kind === 'say' && voice !== null) checkLength(intent.text, maxSpeechCharacters)

  const answer = (until: AbortSignal) =>
    intent ? obey(models, intent, until) : think(models, thought, until)
  const events = voice === null ? answer(signal) : spoken(models, answer, voice, signal)
  let prompt: PromptTokens = { text: 0, audio: 0, cached: 0 }
  const completion = { text: 0, audio: 0, reasoning: 0 }
  const calling = new Set<number>()
  for await (const event of events)
    if (event.kind === 'start') {
      prompt = event.prompt
      yield { kind: 'start' }
    } else if (event.kind === 'end') {
      const { choice, reason, completionTokens, reasoningTokens } = event
      // Which tokens of a reply that calls functions were spoken before the call is not told.
      const kind = voice === null || calling.has(choice) ? 'text' : 'audio'
      completion[kind] += completionTokens - reasoningTokens
      completion.reasoning += reasoningTokens
      yield { kind: 'end', choice, reason }
    } else {
      if (event.kind === 'call') calling.add(event.choice)
      yield event
    }
  yield { kind: 'usage', usage: { prompt, completion } }
}

/**
 * An answer's events with the sound of its text among them: a sentence is spoken while the next is thought. The end
 * comes last. Calls have no sound.
 */
async function* spoken(
  models: Models,
  answer: (signal: AbortSignal) => AsyncGenerator<ThinkEvent>,
  voice: string,
  signal: AbortSignal,
): AsyncGenerator<ThinkEvent | SoundEvent> {
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const passages = new Passages()
  async function* text(): AsyncGenerator<ThinkEvent> {
    for await (const event of answer(until)) {
      if (event.kind === 'text') passages.push(event.text)
      else if (event.kind === 'end') passages.end()
      yield event
    }
  }
  async function* sound(): AsyncGenerator<SoundEvent> {
    for await (const event of speak(models, passages.read(until), { voice, speed: 1 }, until))
      if (event.kind === 'audio') yield { ...event, choice: 0 }
  }
  let end: ThinkEvent | undefined
  for await (const event of merged<ThinkEvent | SoundEvent>([text(), sound()], stop))
    if (event.kind === 'end') end = event
    else yield event
  if (end) yield end
}

/** The reply to an order, without the language model. */
async function* obey(models: Models, intent: Intent, signal: AbortSignal): AsyncGenerator<ThinkEvent> {
  const { text, tokens } =
    intent.kind === 'say'
      ? { text: intent.text, tokens: 0 }
      : await hear(models, { audio: intent.samples }, signal)
  yield { kind: 'start', prompt: { text: 0, audio: tokens, cached: 0 } }
  yield { kind: 'text', choice: 0, text }
  yield { kind: 'end', choice: 0, reason: 'stop', completionTokens: tokens, reasoningTokens: 0 }
}

function checkLength(text: string, most: number): void {
  if (text.length > most)
    throw new ServiceError(
      'invalid_value',
      `The text to say has ${text.length} characters; the limit is ${most} (MAX_SPEECH_CHARACTERS).`,
      'messages',
    )
}
