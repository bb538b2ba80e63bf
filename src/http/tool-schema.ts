/** The functions of a chat request as JSON Schema, and as types. */

export interface ToolBody {
  type: 'function'
  function: {
    name: string
    description?: string | null
    parameters?: Record<string, unknown> | null
    strict?: boolean | null
  }
}
interface NamedFunction {
  type: 'function'
  function: { name: string }
}
export type ToolChoiceBody =
  | 'none'
  | 'auto'
  | 'required'
  | NamedFunction
  | { type: 'allowed_tools'; allowed_tools: { mode: 'auto' | 'required'; tools: NamedFunction[] } }

const MOST_TOOLS = 128

export const functionName = {
  type: 'string',
  pattern: '^[a-zA-Z0-9_-]{1,64}$',
  description: 'Letters a to z, digits, _ and -; at most 64.',
}

const tagged = (...kinds: object[]) => ({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: kinds,
})

export const toolsSchema = {
  type: 'array',
  nullable: true,
  maxItems: MOST_TOOLS,
  description: 'The functions that the model may call.',
  items: tagged({
    type: 'object',
    required: ['type', 'function'],
    properties: {
      type: { const: 'function' },
      function: {
        type: 'object',
        required: ['name'],
        properties: {
          name: functionName,
          description: { type: 'string', nullable: true },
          parameters: {
            type: 'object',
            nullable: true,
            properties: { type: { const: 'object' } },
            description: 'JSON Schema of the arguments, an object; any object if absent.',
          },
          strict: {
            type: 'boolean',
            nullable: true,
            description: 'Whether the arguments must follow the schema to the letter.',
          },
        },
      },
    },
  }),
}

const named = {
  type: 'object',
  required: ['type', 'function'],
  properties: {
    type: { const: 'function' },
    function: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  },
}
const allowed = {
  type: 'object',
  required: ['type', 'allowed_tools'],
  properties: {
    type: { const: 'allowed_tools' },
    allowed_tools: {
      type: 'object',
      required: ['mode', 'tools'],
      properties: {
        mode: { type: 'string', enum: ['auto', 'required'] },
        tools: { type: 'array', minItems: 1, maxItems: MOST_TOOLS, items: tagged(named) },
      },
    },
  },
}

export const toolChoiceSchema = {
  description:
    'Whether functions are called: not at all, as the model likes, at least one, this one, or some of these.',
  anyOf: [{ type: ['string', 'null'], enum: ['none', 'auto', 'required', null] }, tagged(named, allowed)],
}
