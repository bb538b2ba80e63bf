/** The request of POST /v1/chat/completions as JSON Schema. Unknown fields are ignored; null is the same as absent. */

export interface TextPart {
  type: 'text'
  text: string
}
export interface RecordingPart {
  type: 'input_audio'
  input_audio: { data: string; format: string }
}
export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant'
  content?: string | (TextPart | RecordingPart)[] | null
  audio?: { id: string } | null
}
export interface ChatBody {
  messages: ChatMessage[]
  model?: string | null
  modalities?: ('text' | 'audio')[] | null
  audio?: { voice?: string | { id: string } | null; format?: string | null } | null
  max_tokens?: number | null
  max_completion_tokens?: number | null
  temperature?: number | null
  top_p?: number | null
  seed?: number | null
  stop?: string | string[] | null
  stream?: boolean | null
  stream_options?: { include_usage?: boolean | null } | null
  n?: number | null
  tools?: unknown[] | null
  functions?: unknown[] | null
  response_format?: { type: string } | null
  logprobs?: boolean | null
  top_logprobs?: number | null
  frequency_penalty?: number | null
  presence_penalty?: number | null
  logit_bias?: Record<string, number> | null
}

const text = {
  type: 'object',
  required: ['type', 'text'],
  properties: { type: { const: 'text' }, text: { type: 'string' } },
}
const recording = {
  type: 'object',
  required: ['type', 'input_audio'],
  properties: {
    type: { const: 'input_audio' },
    input_audio: {
      type: 'object',
      required: ['data', 'format'],
      properties: { data: { type: 'string', minLength: 1 }, format: { type: 'string' } },
    },
  },
}
/** `discriminator` makes ajv report what is wrong with the part that the sender meant. */
const parts = (...kinds: object[]) => ({
  type: 'array',
  minItems: 1,
  items: { type: 'object', required: ['type'], discriminator: { propertyName: 'type' }, oneOf: kinds },
})
const message = (role: string, kinds: object[], content: object = {}, more: object = {}) => ({
  type: 'object',
  required: role === 'assistant' ? ['role'] : ['role', 'content'],
  properties: {
    role: { const: role },
    content: { anyOf: [{ type: 'string', ...content }, parts(...kinds)] },
    ...more,
  },
})
const replyReference = {
  type: 'object',
  nullable: true,
  required: ['id'],
  properties: { id: { type: 'string', minLength: 1 } },
}
const nullable = (schema: object) => ({ ...schema, nullable: true })

export const chatSchema = {
  type: 'object',
  required: ['messages'],
  properties: {
    messages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['role'],
        discriminator: { propertyName: 'role' },
        oneOf: [
          message('system', [text]),
          message('developer', [text]),
          message('user', [text, recording]),
          message('assistant', [text], { nullable: true }, { audio: replyReference }),
        ],
      },
    },
    model: nullable({ type: 'string', maxLength: 256 }),
    modalities: nullable({
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['text', 'audio'] },
    }),
    audio: nullable({
      type: 'object',
      properties: {
        voice: {
          type: ['string', 'object', 'null'],
          minLength: 1,
          required: ['id'],
          properties: { id: { type: 'string', minLength: 1 } },
        },
        format: nullable({ type: 'string', minLength: 1 }),
      },
    }),
    max_tokens: nullable({ type: 'integer', minimum: 1 }),
    max_completion_tokens: nullable({ type: 'integer', minimum: 1 }),
    temperature: nullable({ type: 'number', minimum: 0, maximum: 2 }),
    top_p: nullable({ type: 'number', minimum: 0, maximum: 1 }),
    seed: nullable({ type: 'integer' }),
    stop: {
      type: ['string', 'array', 'null'],
      minLength: 1,
      minItems: 1,
      maxItems: 4,
      items: { type: 'string', minLength: 1 },
    },
    stream: nullable({ type: 'boolean' }),
    stream_options: nullable({
      type: 'object',
      properties: { include_usage: nullable({ type: 'boolean' }) },
    }),
    n: nullable({ type: 'integer', minimum: 1, maximum: 128 }),
    tools: nullable({ type: 'array' }),
    functions: nullable({ type: 'array' }),
    response_format: nullable({
      type: 'object',
      required: ['type'],
      properties: { type: { type: 'string' } },
    }),
    logprobs: nullable({ type: 'boolean' }),
    top_logprobs: nullable({ type: 'integer', minimum: 0, maximum: 20 }),
    frequency_penalty: nullable({ type: 'number', minimum: -2, maximum: 2 }),
    presence_penalty: nullable({ type: 'number', minimum: -2, maximum: 2 }),
    logit_bias: nullable({ type: 'object', additionalProperties: { type: 'number' } }),
  },
}
