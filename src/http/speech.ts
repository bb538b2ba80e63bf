/** POST /v1/audio/speech: a text to sound, sent while it is made. */
import type { RequestHandler, Response } from 'express'
import type { Models } from '../assistant/registry.js'
import { type SpokenEvent, speakText } from '../assistant/speak.js'
import { resolveVoice } from '../assistant/voices.js'
import { encodeSound, mediaTypes, type ReplyFormat } from '../audio/encode.js'
import { ServiceError } from '../errors.js'
import { sendEvents } from './event-stream.js'
import type { ModelNames } from './models.js'
import { writePaced } from './paced.js'
import { requestSignal } from './request.js'
import { validator } from './validate.js'

interface SpeechBody {
  readonly model: string
  readonly input: string
  readonly voice: string | { readonly id: string }
  readonly response_format?: keyof typeof formats | null
  readonly speed?: number | null
  readonly stream_format?: 'audio' | 'sse' | null
}

/** OpenAI's names here and those of chat. */
const formats = {
  mp3: 'mp3',
  opus: 'opus',
  aac: 'aac',
  flac: 'flac',
  wav: 'wav',
  pcm: 'pcm16',
} as const satisfies Record<string, ReplyFormat>

export const speechSchema = {
  type: 'object',
  required: ['model', 'input', 'voice'],
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 256 },
    input: { type: 'string', minLength: 1 },
    voice: {
      type: ['string', 'object'],
      minLength: 1,
      required: ['id'],
      properties: { id: { type: 'string', minLength: 1 } },
    },
    instructions: { type: 'string', maxLength: 4096, nullable: true },
    // `enum` alone would refuse null.
    response_format: { type: 'string', nullable: true, enum: [...Object.keys(formats), null] },
    speed: { type: 'number', nullable: true, minimum: 0.25, maximum: 4 },
    stream_format: { type: 'string', nullable: true, enum: ['audio', 'sse', null] },
  },
}

export interface SpeechLimits {
  readonly maxSpeechCharacters: number
}

export function speech(
  models: Models,
  names: ModelNames,
  { maxSpeechCharacters }: SpeechLimits,
): RequestHandler {
  const validate = validator<SpeechBody>(speechSchema)
  const voices = models.kokoro.info.facts.voices as readonly string[]
  const sampleRate = models.kokoro.info.facts.sampleRate as number

  return async function createSpeech(request, response) {
    const body = validate(request.body)
    names.check('kokoro', body.model)
    if (body.input.length > maxSpeechCharacters)
      throw new ServiceError(
        'invalid_value',
        `The input has ${body.input.length} characters; the limit is ${maxSpeechCharacters} (MAX_SPEECH_CHARACTERS).`,
        'input',
      )
    const manner = { voice: resolveVoice(body.voice, voices, 'voice'), speed: body.speed ?? 1 }
    const format = formats[body.response_format ?? 'mp3']
    const signal = requestSignal(response)
    const told: Told = { tokens: 0, samples: 0 }
    const events = speakText(models, body.input, manner, signal)
    const sound = encodeSound(samplesOf(events, told), sampleRate, format, signal)
    if (body.stream_format === 'sse')
      await sendEvents(response, speechEvents(sound, told), signal, { done: false })
    else await sendBytes(response, sound, mediaTypes[format], signal)
  }
}

/** What is known of a speech when it is over. */
interface Told {
  /** Of the voice's own alphabet. */
  tokens: number
  samples: number
}

async function* samplesOf(events: AsyncIterable<SpokenEvent>, told: Told): AsyncGenerator<Float32Array> {
  for await (const event of events)
    if (event.kind === 'audio') {
      told.samples += event.samples.length
      yield event.samples
    } else told.tokens += event.symbols
}

/** Begins with the first bytes, so that what fails before is an answer with a status of its own. */
async function sendBytes(
  response: Response,
  bytes: AsyncIterable<Uint8Array>,
  mediaType: string,
  signal: AbortSignal,
): Promise<void> {
  for await (const part of bytes) {
    if (!response.headersSent) response.setHeader('content-type', mediaType)
    await writePaced(response, part, signal)
  }
  if (!response.headersSent) response.setHeader('content-type', mediaType)
  response.end()
}

/** A token of sound is a frame of the voice: 25 ms. */
const framesPerSecond = 40
const bytesPerEvent = 24_000

async function* speechEvents(bytes: AsyncIterable<Uint8Array>, told: Told): AsyncGenerator<object> {
  for await (const part of bytes)
    for (let at = 0; at < part.length; at += bytesPerEvent) {
      const audio = Buffer.from(part.subarray(at, at + bytesPerEvent)).toString('base64')
      yield { type: 'speech.audio.delta', audio }
    }
  const output_tokens = Math.ceil((told.samples / 24_000) * framesPerSecond)
  const usage = { input_tokens: told.tokens, output_tokens, total_tokens: told.tokens + output_tokens }
  yield { type: 'speech.audio.done', usage }
}
