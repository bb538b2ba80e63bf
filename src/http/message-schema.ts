/** The messages of a chat request as JSON Schema, and as types. */
import { functionName } from './tool-schema.js'

export interface TextPart {
  type: 'text'
  text: string
}
export interface RefusalPart {
  type: 'refusal'
  refusal: string
}
export interface RecordingPart {
  type: 'input_audio'
  input_audio: { data: string; format: string }
}
export interface ToolCallBody {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}
export interface AssistantMessage {
  role: 'assistant'
  content?: string | (TextPart | RefusalPart)[] | null
  refusal?: string | null
  audio?: { id: string } | null
  tool_calls?: ToolCallBody[] | null
  function_call?: object | null
}
export type ChatMessage =
  | { role: 'system' | 'developer'; content: string | TextPart[] }
  | { role: 'user'; content: string | (TextPart | RecordingPart)[] }
  | AssistantMessage
  | { role: 'tool'; content: string | TextPart[]; tool_call_id: string }

const text = {
  type: 'object',
  required: ['type', 'text'],
  properties: { type: { const: 'text' }, text: { type: 'string' } },
}
const refusal = {
  type: 'object',
  required: ['type', 'refusal'],
  properties: { type: { const: 'refusal' }, refusal: { type: 'string' } },
}
const recording = {
  type: 'object',
  required: ['type', 'input_audio'],
  properties: {
    type: { const: 'input_audio' },
    input_audio: {
      type: 'object',
      required: ['data', 'format'],
      properties: {
        data: { type: 'string', minLength: 1, description: 'The file in base64.' },
        format: {
          type: 'string',
          description: 'What the sender takes it for; the bytes themselves tell what it is.',
        },
      },
    },
  },
}
const call = {
  type: 'object',
  required: ['id', 'type', 'function'],
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 256 },
    type: { const: 'function' },
    function: {
      type: 'object',
      required: ['name', 'arguments'],
      properties: { name: functionName, arguments: { type: 'string', description: 'JSON text.' } },
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

const assistantFields = {
  refusal: { type: 'string', nullable: true, description: 'Read where there is no content.' },
  audio: {
    type: 'object',
    nullable: true,
    required: ['id'],
    properties: { id: { type: 'string', minLength: 1 } },
    description: 'A spoken reply, in place of content: its id carries what was said.',
  },
  tool_calls: {
    type: 'array',
    nullable: true,
    maxItems: 128,
    items: call,
    description: 'Each is answered by a message of the role `tool` before the conversation goes on.',
  },
  function_call: { type: 'object', nullable: true, description: 'Not supported: use `tool_calls`.' },
}

export const messagesSchema = {
  type: 'array',
  minItems: 1,
  description: 'The conversation so far.',
  items: {
    type: 'object',
    required: ['role'],
    discriminator: { propertyName: 'role' },
    oneOf: [
      message('system', [text]),
      message('developer', [text]),
      message('user', [text, recording]),
      message('assistant', [text, refusal], { nullable: true }, assistantFields),
      {
        ...message('tool', [text], {}, { tool_call_id: { type: 'string' } }),
        required: ['role', 'content', 'tool_call_id'],
      },
    ],
  },
}
