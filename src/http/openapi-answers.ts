/** What the service answers, as JSON Schema: the parts of /openapi.json that no request is checked with. */
import { failures } from '../errors.js'
import { finishReasons } from './chat-values.js'

const text = { type: 'string' }
const count = { type: 'integer', minimum: 0 }
/** In seconds since 1970. */
const time = { type: 'integer', minimum: 1 }
const nothing = { type: 'null' }
const orNull = (type: string) => ({ type: [type, 'null'] })
const list = (items: object) => ({ type: 'array', items })
export const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** An object of exactly these fields; those whose names end in `?` may be absent. */
function exactly(fields: Readonly<Record<string, object>>): object {
  const named = Object.entries(fields).map(([name, schema]) => [name.replace('?', ''), schema] as const)
  return {
    type: 'object',
    required: Object.keys(fields).filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(named),
    additionalProperties: false,
  }
}

/** Of an answer and of each chunk of one: `choices` is what they differ in. */
const completion = (object: string, choices: object, usage: object) =>
  exactly({
    id: { type: 'string', pattern: '^chatcmpl-' },
    object: { const: object },
    created: time,
    model: text,
    choices,
    ...usage,
    service_tier: { const: 'default' },
    system_fingerprint: nothing,
  })
const reasons = Object.values(finishReasons)
const audioId = {
  type: 'string',
  pattern: '^audio_',
  description: 'Carries the transcript: it never expires.',
}
const functionType = { const: 'function' }
const callArguments = { ...text, description: 'JSON text; in chunks a piece of it' }
/** How likely a token was: its natural logarithm, -9999 for one that could not come. */
const likely = {
  token: text,
  logprob: { type: 'number', maximum: 0, minimum: -9999 },
  bytes: list({ type: 'integer', minimum: 0, maximum: 255 }),
}
const logprobs = {
  anyOf: [
    exactly({
      content: list(exactly({ ...likely, top_logprobs: list(exactly(likely)) })),
      refusal: nothing,
    }),
    nothing,
  ],
  description: 'Of the tokens of this text, where they are asked for',
}
const base64 = { type: 'string', contentEncoding: 'base64' }
const tokenUsage = exactly({ input_tokens: count, output_tokens: count, total_tokens: count })

export const answerSchemas: Readonly<Record<string, object>> = {
  Error: exactly({
    error: exactly({
      message: text,
      type: { enum: [...new Set(Object.values(failures).map(({ type }) => type))] },
      param: orNull('string'),
      code: { enum: Object.keys(failures) },
    }),
  }),
  Health: exactly({
    status: { const: 'ok' },
    version: text,
    runtime: text,
    models: list({
      type: 'object',
      required: ['name', 'family', 'parameters', 'engine_bytes', 'load_seconds'],
      properties: {
        name: text,
        family: { enum: ['whisper', 'llama', 'kokoro'] },
        parameters: count,
        engine_bytes: count,
        load_seconds: { type: 'number', minimum: 0 },
        voices: list(text),
        languages: list(text),
      },
      description: 'And what else is known of a model of this family.',
    }),
    uptime_seconds: count,
  }),
  Model: exactly({ id: text, object: { const: 'model' }, created: time, owned_by: text }),
  ModelList: exactly({ object: { const: 'list' }, data: list(reference('Model')) }),
  Usage: exactly({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: exactly({ audio_tokens: count, cached_tokens: count, text_tokens: count }),
    completion_tokens_details: exactly({
      accepted_prediction_tokens: count,
      audio_tokens: count,
      reasoning_tokens: count,
      rejected_prediction_tokens: count,
      text_tokens: count,
    }),
  }),
  ChatCompletion: completion(
    'chat.completion',
    list(
      exactly({
        index: count,
        message: exactly({
          role: { const: 'assistant' },
          content: {
            ...orNull('string'),
            description: 'null where the answer is spoken, or consists of calls',
          },
          refusal: nothing,
          annotations: { type: 'array', maxItems: 0 },
          'audio?': exactly({ id: audioId, data: base64, expires_at: time, transcript: text }),
          'tool_calls?': list(
            exactly({
              id: text,
              type: functionType,
              function: exactly({ name: text, arguments: callArguments }),
            }),
          ),
        }),
        logprobs,
        finish_reason: { enum: reasons },
      }),
    ),
    { usage: reference('Usage') },
  ),
  ChatCompletionChunk: completion(
    'chat.completion.chunk',
    list(
      exactly({
        index: count,
        delta: exactly({
          'role?': { const: 'assistant' },
          'content?': orNull('string'),
          'refusal?': nothing,
          'audio?': exactly({ 'id?': audioId, 'transcript?': text, 'data?': base64, 'expires_at?': time }),
          'tool_calls?': list(
            exactly({
              index: count,
              'id?': text,
              'type?': functionType,
              function: exactly({ 'name?': text, arguments: callArguments }),
            }),
          ),
        }),
        logprobs,
        finish_reason: { enum: [...reasons, null] },
      }),
    ),
    { 'usage?': { anyOf: [reference('Usage'), nothing] } },
  ),
  VoiceList: exactly({ voices: list(exactly({ id: text, name: text })) }),
  SpeechModels: exactly({ models: list(exactly({ id: text, name: text })) }),
  Transcription: exactly({ text, usage: exactly({ type: { const: 'duration' }, seconds: count }) }),
  SpeechEvent: {
    oneOf: [
      exactly({ type: { const: 'speech.audio.delta' }, audio: base64 }),
      exactly({ type: { const: 'speech.audio.done' }, usage: tokenUsage }),
    ],
  },
}
