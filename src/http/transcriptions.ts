/** POST /v1/audio/transcriptions: an uploaded recording to its text. */
import type { RequestHandler } from 'express'
import { hear } from '../assistant/hear.js'
import type { Models } from '../assistant/registry.js'
import { decodeRecording } from '../audio/decode.js'
import { ServiceError } from '../errors.js'
import type { ModelNames } from './models.js'
import { readUpload, type Upload } from './multipart.js'
import { requestSignal } from './request.js'
import { validator } from './validate.js'

interface TranscriptionBody {
  readonly model: string
  readonly language?: string
  readonly prompt?: string
  readonly response_format?: 'json' | 'text'
  readonly temperature?: number
}

export const transcriptionSchema = {
  type: 'object',
  required: ['model'],
  properties: {
    model: { type: 'string', minLength: 1, maxLength: 256 },
    language: { type: 'string', minLength: 1, maxLength: 32 },
    prompt: { type: 'string' },
    response_format: { type: 'string', enum: ['json', 'text'] },
    temperature: { type: 'number', minimum: 0, maximum: 1 },
  },
}

/** What OpenAI's API has and this endpoint has not: said with a 400, never ignored. */
export const unsupportedFields = [
  'include',
  'timestamp_granularities',
  'chunking_strategy',
  'languages',
  'keywords',
].concat(['known_speaker_names', 'known_speaker_references'])

export interface TranscriptionLimits {
  readonly maxBody: number
  readonly maxAudioSeconds: number
}

export function transcriptions(
  models: Models,
  names: ModelNames,
  limits: TranscriptionLimits,
): RequestHandler {
  const validate = validator<TranscriptionBody>(transcriptionSchema)

  return async function createTranscription(request, response) {
    const signal = requestSignal(response)
    const upload = await readUpload(request, limits.maxBody, signal)
    const body = validate(valuesOf(upload))
    names.check('whisper', body.model)
    if (!upload.file)
      throw new ServiceError('missing_required_parameter', "Missing required parameter: 'file'.", 'file')
    const audio = await decodeRecording(upload.file, { maxSeconds: limits.maxAudioSeconds }, 'file', signal)
    const { language, prompt, temperature } = body
    const heard = await hear(
      models,
      {
        audio,
        ...(language ? { language } : {}),
        ...(prompt ? { prompt } : {}),
        ...(temperature ? { temperature } : {}),
      },
      signal,
    )
    if (body.response_format === 'text') response.type('text/plain').send(`${heard.text}\n`)
    else response.json({ text: heard.text, usage: { type: 'duration', seconds: Math.ceil(heard.seconds) } })
  }
}

/** Forms have texts only. What is no number stays a text, and is refused as one. */
function valuesOf({ fields }: Upload): object {
  const one = (name: string) => fields.get(name)?.at(-1)
  const used = unsupportedFields.find(
    (name) => fields.has(name) || [...fields.keys()].some((key) => key.startsWith(`${name}[`)),
  )
  if (used)
    throw new ServiceError('unsupported_value', `Unsupported value: '${used}' is not supported.`, used)
  if (one('stream') === 'true')
    throw new ServiceError('unsupported_value', "Unsupported value: 'stream' must be false.", 'stream')
  const temperature = one('temperature')
  const isNumber =
    temperature !== undefined && temperature.trim() !== '' && !Number.isNaN(Number(temperature))
  return {
    model: one('model'),
    language: one('language') || undefined,
    prompt: one('prompt'),
    response_format: one('response_format'),
    temperature: isNumber ? Number(temperature) : temperature,
  }
}
