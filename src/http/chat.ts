/** POST /v1/chat/completions: the request checked, the assistant's events written as they come or folded into one answer. */
import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { type ChatRequest, chat } from '../assistant/chat.js'
import type { Models } from '../assistant/registry.js'
import { resolveVoice } from '../assistant/voices.js'
import { type ReplyFormat, replyFormats } from '../audio/encode.js'
import { ServiceError } from '../errors.js'
import { completion } from './chat-answer.js'
import { chunks } from './chat-chunks.js'
import { type ModelSizes, replyOptions } from './chat-options.js'
import { type ChatBody, chatSchema } from './chat-schema.js'
import { toolUse } from './chat-tools.js'
import { conversation } from './conversation.js'
import { sendEvents } from './event-stream.js'
import type { ModelNames } from './models.js'
import { placeOf, requestSignal } from './request.js'
import { refuseUnsupported } from './unsupported.js'
import { validator } from './validate.js'

export interface ChatLimits {
  readonly maxAudioSeconds: number
  readonly maxReplyTokens: number
  readonly maxSpokenTokens: number
  readonly maxSpeechCharacters: number
  readonly intents: boolean
}

/** What every answer, and every chunk of one, begins with. */
export interface AnswerHead {
  readonly id: string
  /** In seconds since 1970. */
  readonly created: number
  readonly model: string
}

/** Each is decoded and heard apart, however short it is. */
const MAX_RECORDINGS = 64
const STREAMED_FORMATS: readonly ReplyFormat[] = ['pcm16']

export function chatCompletions(models: Models, names: ModelNames, limits: ChatLimits): RequestHandler {
  const validate = validator<ChatBody>(chatSchema)
  const voices = models.kokoro.info.facts.voices as readonly string[]
  const sampleRate = models.kokoro.info.facts.sampleRate as number
  const sizes = models.llama.info.facts as unknown as ModelSizes
  const { maxAudioSeconds: maxSeconds } = limits

  return async function createChatCompletion(request, response) {
    const body = validate(request.body)
    names.check('llama', body.model)
    refuseUnsupported(body)
    const spoken = speech(body, voices)
    const options = { ...replyOptions(body, replyLimit(limits, spoken !== null), sizes), ...toolUse(body) }
    const replies = body.n ?? 1
    placeOf(response).widen(replies)
    const signal = requestSignal(response)
    const turn: ChatRequest = {
      ...options,
      messages: await conversation(body.messages, { maxSeconds, maxRecordings: MAX_RECORDINGS }, signal),
      voice: spoken?.voice ?? null,
      intents: limits.intents && mayOrder(body),
      maxSpeechCharacters: limits.maxSpeechCharacters,
    }
    const head: AnswerHead = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: body.model ?? models.llama.info.name,
    }
    const events = chat(models, turn, signal)
    if (body.stream) {
      const withUsage = body.stream_options?.include_usage === true
      const mayCall = options.tools !== undefined
      const sent = chunks(events, head, { replies, spoken: spoken !== null, mayCall, withUsage })
      await sendEvents(response, sent, signal)
      return
    }
    const sound = spoken && { format: spoken.format, sampleRate, signal }
    response.json(await completion(events, head, replies, sound))
  }
}

/** Tokens of a reply whose request sets no limit. */
function replyLimit({ maxReplyTokens, maxSpokenTokens }: ChatLimits, spoken: boolean): number {
  return spoken ? Math.min(maxSpokenTokens, maxReplyTokens) : maxReplyTokens
}

/** An order is for people; who wants functions called, several replies or a form of them means the language model. */
function mayOrder(body: ChatBody): boolean {
  return !body.response_format && !body.tools?.length && !body.logprobs && (body.n ?? 1) === 1
}

/** How the reply is to be spoken, or null for text alone; alloy and wav (streamed: pcm16) where the request is silent. */
function speech(body: ChatBody, voices: readonly string[]): { voice: string; format: ReplyFormat } | null {
  if (!body.modalities?.includes('audio')) return null
  const allowed = body.stream ? STREAMED_FORMATS : replyFormats
  const asked = body.audio?.format ?? allowed[0]!
  const format = allowed.find((known) => known === asked)
  if (!format)
    throw new ServiceError(
      'unsupported_value',
      `Unsupported value: 'audio.format' does not support '${asked.slice(0, 32)}'${body.stream ? ' when stream=true' : ''}. Supported values are: ${allowed.map((known) => `'${known}'`).join(', ')}.`,
      'audio.format',
    )
  return { voice: resolveVoice(body.audio?.voice ?? 'alloy', voices, 'audio.voice'), format }
}
