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
import { type ThinkEvent, type ThinkRequest, think } from './think.js'

export interface ChatRequest extends ThinkRequest {
  /** Kokoro's voice to speak the reply with; null for a written reply. */
  readonly voice: string | null
  /** Whether keyword orders are understood. */
  readonly intents: boolean
  /** The most that an order may have spoken; what the language model says is bounded by its tokens. */
  readonly maxSpeechCharacters: number
}

/** Tokens of the models that worked on the reply; `audio` is the part that stands for sound. */
export interface Usage {
  readonly prompt: { readonly text: number; readonly audio: number }
  readonly completion: { readonly text: number; readonly audio: number }
}

/** Mono float32 at the voice's sample rate. */
interface SoundEvent {
  readonly kind: 'audio'
  readonly samples: Float32Array
}

/** Text and sound come as they are made, each in its own order; a reply that is written has no sound. */
export type ChatEvent =
  /** All recordings are heard; where an order is obeyed, there is no such event. */
  | { readonly kind: 'start' }
  | { readonly kind: 'text'; readonly text: string }
  | SoundEvent
  | { readonly kind: 'end'; readonly reason: 'stop' | 'length'; readonly usage: Usage }

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
  for await (const event of events)
    if (event.kind !== 'end') yield event
    else {
      const { reason, prompt, tokens } = event
      const completion = voice === null ? { text: tokens, audio: 0 } : { text: 0, audio: tokens }
      yield { kind: 'end', reason, usage: { prompt, completion } }
    }
}

/** An answer's events with its sound among them: a sentence is spoken while the next is thought. The end comes last. */
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
      if (event.kind === 'audio') yield event
  }
  let end: ThinkEvent | undefined
  for await (const event of merged<ThinkEvent | SoundEvent>([text(), sound()], stop))
    if (event.kind === 'end') end = event
    else yield event
  if (end) yield end
}

/** The reply to an order, without the language model. */
async function* obey(models: Models, intent: Intent, signal: AbortSignal): AsyncGenerator<ThinkEvent> {
  if (intent.kind === 'say') {
    yield { kind: 'text', text: intent.text }
    yield { kind: 'end', reason: 'stop', prompt: { text: 0, audio: 0 }, tokens: 0 }
  } else {
    const { text, tokens } = await hear(models, { audio: intent.samples }, signal)
    yield { kind: 'text', text }
    yield { kind: 'end', reason: 'stop', prompt: { text: 0, audio: tokens }, tokens }
  }
}

function checkLength(text: string, most: number): void {
  if (text.length > most)
    throw new ServiceError(
      'invalid_value',
      `The text to say has ${text.length} characters; the limit is ${most} (MAX_SPEECH_CHARACTERS).`,
      'messages',
    )
}
