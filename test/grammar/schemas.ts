/** Schemas as people write them. */
import type { JsonSchema } from '#src/grammar/shape.js'

export const schemas: Readonly<Record<string, JsonSchema>> = {
  person: {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 40, description: 'Full name' },
      age: { type: 'integer', minimum: 0, maximum: 130 },
      email: { type: ['string', 'null'], format: 'email' },
    },
    required: ['name', 'age', 'email'],
    additionalProperties: false,
  },
  'an open object': { type: 'object', properties: { id: { type: 'integer' }, tags: { type: 'array' } } },
  'a map': { type: 'object', additionalProperties: { type: 'number', minimum: -1, exclusiveMaximum: 1 } },
  'a list of steps': {
    type: 'object',
    properties: {
      steps: {
        type: 'array',
        minItems: 1,
        maxItems: 4,
        items: {
          type: 'object',
          properties: { explanation: { type: 'string' }, output: { type: 'string' } },
          required: ['explanation', 'output'],
          additionalProperties: false,
        },
      },
      final_answer: { type: 'string' },
    },
    required: ['steps', 'final_answer'],
    additionalProperties: false,
  },
  'a tree': {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          value: { type: 'integer' },
          children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 },
        },
        required: ['value', 'children'],
        additionalProperties: false,
      },
    },
  },
  'a linked list': {
    type: 'object',
    properties: { value: { type: 'number' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['value', 'next'],
    additionalProperties: false,
  },
  'a union told apart by a constant': {
    type: 'object',
    oneOf: [
      {
        properties: { kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0 } },
        required: ['kind', 'radius'],
        additionalProperties: false,
      },
      {
        properties: { kind: { const: 'square' }, side: { type: 'integer', multipleOf: 5, maximum: 1000 } },
        required: ['kind', 'side'],
        additionalProperties: false,
      },
    ],
  },
  'a union of overlapping objects': {
    anyOf: [
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a', 'b'] },
      { type: 'object', properties: { a: { type: 'string' }, c: { type: 'boolean' } }, required: ['a', 'c'] },
      { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false, minItems: 2 },
    ],
  },
  'an address': {
    type: 'object',
    properties: {
      street: { type: 'string', pattern: '^[A-Z][a-zA-Z ]{2,20} [1-9][0-9]{0,2}$' },
      zip: { type: 'string', pattern: '^[0-9]{5}(-[0-9]{4})?$' },
      country: { type: 'string', enum: ['DE', 'FR', 'IT'] },
      'näme "of" door\n': { type: 'string', pattern: 'ö{2}|\\d' },
    },
    required: ['street', 'zip', 'country'],
    additionalProperties: false,
  },
  'times and ids': {
    type: 'object',
    properties: {
      id: { type: 'string', format: 'uuid' },
      day: { type: 'string', format: 'date' },
      at: { type: 'string', format: 'date-time' },
      every: { type: 'string', format: 'time' },
      from: { type: 'string', format: 'ipv4' },
      host: { type: 'string', format: 'hostname' },
      mail: { type: 'string', format: 'email' },
    },
    required: ['id', 'day', 'at', 'every', 'from', 'host', 'mail'],
    additionalProperties: false,
  },
  numbers: {
    type: 'array',
    prefixItems: [
      { type: 'number', minimum: 0.25, maximum: 0.75 },
      { type: 'number', exclusiveMinimum: -1, exclusiveMaximum: -0.001 },
      { type: 'integer', exclusiveMinimum: 9007199254740992, maximum: 9007199254740998 },
      { type: 'number', exclusiveMinimum: 0, maximum: 1e-20 },
      { type: 'integer', minimum: -7, maximum: 1203, multipleOf: 7 },
      { type: 'number', minimum: 1e16 },
    ],
    items: { type: 'number', exclusiveMaximum: 0.1, minimum: 0.1 - 1e-17 },
    minItems: 6,
    maxItems: 8,
  },
  'constraints from two sides': {
    allOf: [{ $ref: '#/$defs/named' }, { properties: { name: { maxLength: 6 } } }],
    properties: { size: { enum: ['s', 'm', 3, null, [1, { a: 'é' }]] } },
    $defs: {
      named: {
        type: 'object',
        properties: { name: { type: 'string', pattern: '^[a-zé-]+$' } },
        required: ['name'],
      },
    },
  },
  'lengths of what a pattern takes': {
    type: 'array',
    items: { type: 'string', pattern: '^(ab|cde)*$', minLength: 6, maxLength: 7 },
    minItems: 2,
    maxItems: 3,
  },
  'a pattern that matches anywhere': { type: 'string', pattern: '\\p{Lu}[0-9]', maxLength: 30 },
  'no type at all': { minimum: 3, maxLength: 2, required: ['x'], maxItems: 1 },
  anything: true,
}
