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
import { type ChatBody, chatSchema } from './chat-schema.js'
import { conversation } from './conversation.js'
import { sendEvents } from './event-stream.js'
import type { ModelNames } from './models.js'
import { requestSignal } from './request.js'
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
  const { maxAudioSeconds: maxSeconds } = limits

  return async function createChatCompletion(request, response) {
    const body = validate(request.body)
    names.check('llama', body.model)
    refuseUnsupported(body)
    const spoken = speech(body, voices)
    const signal = requestSignal(response)
    const turn: ChatRequest = {
      messages: await conversation(body.messages, { maxSeconds, maxRecordings: MAX_RECORDINGS }, signal),
      voice: spoken?.voice ?? null,
      // An order is for people; a request for a certain form of reply is meant for the language model.
      intents: limits.intents && !body.response_format,
      maxSpeechCharacters: limits.maxSpeechCharacters,
      maxTokens:
        body.max_completion_tokens ??
        body.max_tokens ??
        (spoken ? Math.min(limits.maxSpokenTokens, limits.maxReplyTokens) : limits.maxReplyTokens),
      ...sampling(body),
    }
    const head: AnswerHead = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: body.model ?? models.llama.info.name,
    }
    const events = chat(models, turn, signal)
    if (body.stream) {
      const withUsage = body.stream_options?.include_usage === true
      await sendEvents(response, chunks(events, head, { spoken: spoken !== null, withUsage }), signal)
      return
    }
    response.json(await completion(events, head, spoken && { format: spoken.format, sampleRate, signal }))
  }
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

function sampling(body: ChatBody): Pick<ChatRequest, 'temperature' | 'topP' | 'seed' | 'stop'> {
  const { temperature, top_p: topP, seed, stop } = body
  return {
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(stop === null || stop === undefined ? {} : { stop: [stop].flat() }),
  }
}
