/** The request of POST /v1/chat/completions as JSON Schema. Unknown fields are ignored; null is the same as absent. */
import { type ChatMessage, messagesSchema } from './message-schema.js'
import { type ToolBody, type ToolChoiceBody, toolChoiceSchema, toolsSchema } from './tool-schema.js'

export interface ChatBody {
  messages: ChatMessage[]
  model?: string | null
  modalities?: ('text' | 'audio')[] | null
  audio?: { voice?: string | { id: string } | null; format?: string | null } | null
  max_tokens?: number | null
  max_completion_tokens?: number | null
  n?: number | null
  temperature?: number | null
  top_p?: number | null
  frequency_penalty?: number | null
  presence_penalty?: number | null
  logit_bias?: Record<string, number> | null
  seed?: number | null
  stop?: string | string[] | null
  logprobs?: boolean | null
  top_logprobs?: number | null
  stream?: boolean | null
  stream_options?: { include_usage?: boolean | null } | null
  response_format?: ResponseFormat | null
  reasoning_effort?: (typeof efforts)[number] | null
  tools?: ToolBody[] | null
  tool_choice?: ToolChoiceBody | null
  parallel_tool_calls?: boolean | null
  functions?: unknown[] | null
  function_call?: unknown
  web_search_options?: unknown
  moderation?: unknown
}
export type ResponseFormat =
  | { type: 'text' | 'json_object' }
  | {
      type: 'json_schema'
      json_schema: { name: string; schema?: Record<string, unknown> | null }
    }

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

const nullable = (schema: object) => ({ ...schema, nullable: true })
const between = (minimum: number, maximum: number, description: string) =>
  nullable({ type: 'number', minimum, maximum, description })
const oneOf = (values: readonly string[], description: string) =>
  // `enum` alone would refuse null.
  nullable({ type: 'string', enum: [...values, null], description })
const limit = nullable({
  type: 'integer',
  minimum: 1,
  description:
    'The most tokens of a reply, those of its reasoning included; cut to what the context has left.',
})
const format = (type: string, more: Readonly<Record<string, object>> = {}) => ({
  type: 'object',
  required: ['type', ...Object.keys(more)],
  properties: { type: { const: type }, ...more },
})
/** What changes no reply: checked, so that mistakes are found here as well as at OpenAI. */
const withoutEffect = {
  store: nullable({ type: 'boolean', description: 'Accepted; nothing is kept.' }),
  metadata: nullable({
    type: 'object',
    maxProperties: 16,
    propertyNames: { maxLength: 64 },
    additionalProperties: { type: 'string', maxLength: 512 },
    description: 'Accepted; nothing is kept.',
  }),
  user: nullable({ type: 'string' }),
  safety_identifier: nullable({ type: 'string', maxLength: 64 }),
  prompt_cache_key: nullable({
    type: 'string',
    description: 'Without effect: prompts that begin alike are recognised by themselves.',
  }),
  service_tier: oneOf(['auto', 'default', 'flex', 'scale', 'priority', 'fast'], 'There is only `default`.'),
  verbosity: oneOf(['low', 'medium', 'high'], 'Accepted; models of this kind do not know it.'),
  prediction: nullable({
    type: 'object',
    required: ['type', 'content'],
    properties: {
      type: { const: 'content' },
      content: {
        type: ['string', 'array'],
        items: {
          type: 'object',
          required: ['type', 'text'],
          properties: { type: { const: 'text' }, text: { type: 'string' } },
        },
      },
    },
    description: 'Accepted; replies do not come sooner for it.',
  }),
}

export const chatSchema = {
  type: 'object',
  required: ['messages'],
  properties: {
    messages: messagesSchema,
    model: nullable({
      type: 'string',
      maxLength: 256,
      description: 'Echoed: there is one model for each kind of work. Where names are strict, its name.',
    }),
    modalities: nullable({
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: ['text', 'audio'] },
      description: 'With `audio` the reply is spoken.',
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
      description: 'How a spoken reply is spoken and encoded; streamed it is pcm16.',
    }),
    max_tokens: { ...limit, deprecated: true },
    max_completion_tokens: limit,
    n: nullable({ type: 'integer', minimum: 1, maximum: 128, description: 'How many replies.' }),
    temperature: between(0, 2, '0 takes the likeliest token; if absent, what the model’s makers advise.'),
    top_p: between(0, 1, 'Draws from the likeliest tokens that have this probability in sum.'),
    frequency_penalty: between(-2, 2, 'Taken from a token’s logit for each time that the reply has it.'),
    presence_penalty: between(-2, 2, 'Taken from the logits of tokens that the reply has.'),
    logit_bias: nullable({
      type: 'object',
      propertyNames: { pattern: '^(0|[1-9][0-9]*)$' },
      additionalProperties: { type: 'number', minimum: -100, maximum: 100 },
      description: 'Added to the logits of tokens, by their ids in the model’s own vocabulary.',
    }),
    seed: nullable({
      type: 'integer',
      description: 'The same request with the same seed has the same reply.',
    }),
    stop: {
      type: ['string', 'array', 'null'],
      minLength: 1,
      minItems: 1,
      maxItems: 4,
      items: { type: 'string', minLength: 1 },
      description: 'Texts that end a reply and are no part of it.',
    },
    logprobs: nullable({ type: 'boolean', description: 'Whether to tell how likely each token was.' }),
    top_logprobs: nullable({
      type: 'integer',
      minimum: 0,
      maximum: 20,
      description: 'How many of the likeliest tokens to tell at each place.',
    }),
    stream: nullable({ type: 'boolean', description: 'Whether to send the reply as it is made.' }),
    stream_options: nullable({
      type: 'object',
      properties: {
        include_usage: nullable({ type: 'boolean', description: 'Whether a last chunk tells the usage.' }),
        include_obfuscation: nullable({ type: 'boolean', description: 'Without effect.' }),
      },
    }),
    response_format: nullable({
      type: 'object',
      required: ['type'],
      discriminator: { propertyName: 'type' },
      oneOf: [
        format('text'),
        format('json_object'),
        format('json_schema', {
          json_schema: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,64}$' },
              description: nullable({ type: 'string' }),
              schema: nullable({ type: 'object', description: 'JSON Schema that the reply follows.' }),
              strict: nullable({ type: 'boolean', description: 'Without effect: replies always follow it.' }),
            },
          },
        }),
      ],
      description: 'What the reply has to be: any text, a JSON object, or JSON that follows a schema.',
    }),
    reasoning_effort: oneOf(efforts, 'How long a model that thinks before it answers does so.'),
    tools: toolsSchema,
    tool_choice: toolChoiceSchema,
    parallel_tool_calls: nullable({
      type: 'boolean',
      description: 'Whether one reply may call several functions; it may if absent.',
    }),
    functions: nullable({ type: 'array', deprecated: true }),
    ...withoutEffect,
  },
}
