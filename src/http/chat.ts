/** POST /v1/chat/completions: the request checked, the assistant's events folded into one answer. */
import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { type ChatEvent, type ChatRequest, chat, type Usage } from '../assistant/chat.js'
import type { Models } from '../assistant/registry.js'
import { replyId } from '../assistant/reply-id.js'
import { resolveVoice } from '../assistant/voices.js'
import { encodeReply, type ReplyFormat } from '../audio/encode.js'
import { ServiceError } from '../errors.js'
import { type ChatBody, chatSchema } from './chat-schema.js'
import { conversation } from './conversation.js'
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

/** Reply ids never expire (they carry their transcript), but OpenAI's field wants a time: 30 days. */
const EXPIRES_SECONDS = 30 * 24 * 3600
/** Each is decoded and heard apart, however short it is. */
const MAX_RECORDINGS = 64
const FORMATS: readonly ReplyFormat[] = ['wav', 'pcm16']

export function chatCompletions(models: Models, limits: ChatLimits): RequestHandler {
  const validate = validator<ChatBody>(chatSchema)
  const voices = models.kokoro.info.facts.voices as readonly string[]
  const sampleRate = models.kokoro.info.facts.sampleRate as number
  const { maxAudioSeconds: maxSeconds } = limits

  return async function createChatCompletion(request, response) {
    const body = validate(request.body)
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
    const { text, audio, reason, usage } = await folded(chat(models, turn, signal))
    const created = Math.floor(Date.now() / 1000)
    const sound = spoken && {
      id: replyId(text),
      data: encodeReply(audio, sampleRate, spoken.format).toString('base64'),
      expires_at: created + EXPIRES_SECONDS,
      transcript: text,
    }
    response.json({
      id: `chatcmpl-${randomUUID()}`,
      object: 'chat.completion',
      created,
      model: body.model ?? models.llama.info.name,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: sound ? null : text,
            refusal: null,
            annotations: [],
            ...(sound ? { audio: sound } : {}),
          },
          logprobs: null,
          finish_reason: reason,
        },
      ],
      usage: usageBody(usage),
      service_tier: 'default',
      system_fingerprint: null,
    })
  }
}

/** How the reply is to be spoken, or null for text alone; alloy and wav where the request leaves it open. */
function speech(body: ChatBody, voices: readonly string[]): { voice: string; format: ReplyFormat } | null {
  if (!body.modalities?.includes('audio')) return null
  const asked = body.audio?.format ?? 'wav'
  const format = FORMATS.find((known) => known === asked)
  if (!format)
    throw new ServiceError(
      'unsupported_value',
      `Unsupported value: 'audio.format' does not support ${JSON.stringify(asked.slice(0, 32))}. Supported values are: ${FORMATS.map((known) => `'${known}'`).join(', ')}.`,
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

async function folded(events: AsyncIterable<ChatEvent>) {
  let text = ''
  const audio: Float32Array[] = []
  for await (const event of events)
    if (event.kind === 'text') text += event.text
    else if (event.kind === 'audio') audio.push(event.samples)
    else return { text, audio, reason: event.reason, usage: event.usage }
  throw new Error('the reply ended without its last event')
}

function usageBody({ prompt, completion }: Usage): object {
  const prompt_tokens = prompt.text + prompt.audio
  const completion_tokens = completion.text + completion.audio
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { audio_tokens: prompt.audio, cached_tokens: 0, text_tokens: prompt.text },
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: completion.audio,
      reasoning_tokens: 0,
      rejected_prediction_tokens: 0,
      text_tokens: completion.text,
    },
  }
}
