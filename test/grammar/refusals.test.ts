import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { ServiceError } from '#src/errors.js'
import type { JsonSchema } from '#src/grammar/shape.js'
import { randomReply, schemaGrammar } from './replies.js'

function refusal(schema: JsonSchema): string {
  try {
    schemaGrammar(schema)
  } catch (error) {
    assert.ok(error instanceof ServiceError, `${error}`)
    assert.equal(error.code, 'invalid_value')
    assert.equal(error.param, 'response_format.json_schema.schema')
    return error.message
  }
  return 'none'
}
const at = (inner: JsonSchema): JsonSchema => ({ properties: { 'a/b': { items: inner } } })

describe('schemas that can not be followed', () => {
  const said: readonly (readonly [JsonSchema, RegExp])[] = [
    [
      at({ not: {} }),
      /^The schema at #\/properties\/a~1b\/items has the keyword "not", which is not supported\.$/,
    ],
    [{ nullable: true }, /keyword "nullable"/],
    [{ type: 'text' }, /type "text": there are only null, boolean/],
    [{ type: 'string', format: 'uri' }, /format "uri", which is not supported \(date, time/],
    [{ type: 'string', pattern: '(?=x)' }, /the pattern "\(\?=x\)", which looks ahead/],
    [{ $ref: '#/$defs/none' }, /"#\/\$defs\/none", which points to nothing/],
    [{ $ref: 'other.json' }, /only references within the schema/],
    [{ $ref: '#' }, /refers to itself with no value in between/],
    [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, /refers to itself/],
    [{ minimum: '3' } as never, /a minimum that is not a number/],
    [{ minLength: -1 }, /a minLength that is not a whole number/],
    [{ required: [3] } as never, /no list of strings/],
    [{ properties: { a: 3 } } as never, /#\/properties\/a must be an object or a boolean/],
    [{ items: [{}] } as never, /#\/items must be an object/],
    [{ multipleOf: 0.01 }, /only whole numbers/],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, /"oneOf".*0 and 1 may both hold: use anyOf/],
    [false, /is satisfied by no value/],
    [{ type: 'string', minLength: 3, maxLength: 2 }, /is satisfied by no value/],
    [{ type: 'string', pattern: '^aa$', maxLength: 1 }, /is satisfied by no value/],
    [{ enum: [1, 2], type: 'string' }, /is satisfied by no value/],
    [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, /is satisfied by no value/],
    [{ type: 'array', prefixItems: [true, false], minItems: 2 }, /is satisfied by no value/],
  ]
  for (const [schema, message] of said)
    it(JSON.stringify(schema), () => {
      assert.match(refusal(schema), message)
    })

  it('are those only where it matters', () => {
    const schema = {
      $defs: { unused: { not: {} } },
      type: 'array',
      items: { type: 'string', pattern: '^a$', maxLength: 0 },
    }
    assert.equal(refusal(schema), 'none')
    assert.equal(randomReply(schemaGrammar(schema), seededRandom('empty'))?.replace(/\s/g, ''), '[]')
  })
})

describe('schemas made to do harm', function () {
  this.timeout(30_000)
  const named = (count: number, value: (index: number) => JsonSchema): JsonSchema => ({
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value(index)])),
  })
  const chain = (length: number, link: (ref: string) => JsonSchema): JsonSchema => ({
    $ref: '#/$defs/d0',
    $defs: Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `d${index}`,
        index === length - 1 ? { type: 'integer' } : link(`#/$defs/d${index + 1}`),
      ]),
    ),
  })
  const node = (key: string): JsonSchema => ({
    type: 'object',
    properties: { next: { $ref: '#' }, [key]: { type: 'integer' } },
    required: ['next'],
  })
  const schemas: Readonly<Record<string, JsonSchema>> = {
    'references within references': chain(60, ($ref) => ({ allOf: [{ $ref }, { $ref }] })),
    'alternatives within alternatives': chain(60, ($ref) => ({ anyOf: [{ $ref }, { $ref }] })),
    'objects within objects': chain(3000, ($ref) => ({ properties: { a: { $ref } }, required: ['a'] })),
    'combinations of alternatives': {
      allOf: Array.from({ length: 30 }, (_, index) => ({
        anyOf: [{ minLength: index }, { maxLength: 99 + index }],
      })),
    },
    'many values': { enum: Array.from({ length: 20_000 }, (_, index) => `value number ${index}`) },
    'many properties': named(2000, () => ({ type: 'string' })),
    'many ranges': named(2000, (index) => ({ type: 'number', minimum: index + 0.25, maximum: 1e6 + index })),
    'many patterns': named(500, (index) => ({ type: 'string', pattern: `^(a|b)*a(a|b){8}${index}$` })),
    'a pattern without measure': { type: 'string', pattern: '^(a|b)*a(a|b){25}$' },
    'repeats within repeats': { type: 'string', pattern: '((a{1,100}){1,100}){1,100}' },
    'a pattern slow by backtracking': { type: 'string', pattern: '^(a+)+$' },
    'lengths that rarely meet': {
      type: 'string',
      pattern: '^((a{3})+|(a{5})+|(a{7})+|(a{11})+|(a{13})+|(a{17})+)$',
      minLength: 1000,
    },
    'lengths out of reach': { type: 'array', items: { type: 'string', minLength: 1e9 }, maxItems: 1e9 },
    'many alternatives alike': {
      anyOf: Array.from({ length: 100 }, (_, index) => ({
        type: 'object',
        properties: { text: { type: 'string', pattern: `^[a-z${index} ]*$` }, kind: { const: index } },
        required: ['text', 'kind'],
      })),
    },
    'recursion that never decides': { anyOf: [node('x'), node('y'), { type: 'null' }] },
    'alternatives that name much alike': {
      type: 'object',
      properties: Object.fromEntries(
        Array.from({ length: 10 }, (_, index) => [`${index}`.repeat(6000), true]),
      ),
      anyOf: Array.from({ length: 120 }, (_, index) => ({ required: [`r${index}`] })),
    },
    'alternatives of many properties': {
      ...(named(4000, () => ({})) as object),
      anyOf: Array.from({ length: 120 }, (_, index) => ({ required: [`r${index}`] })),
    },
    'a value deep in alternatives': {
      const: JSON.parse(`${'['.repeat(60)}1${']'.repeat(60)}`) as unknown,
      $ref: '#/$defs/list',
      $defs: {
        list: {
          anyOf: [0, 1].map((minItems) => ({ type: 'array', items: { $ref: '#/$defs/list' }, minItems })),
        },
      },
    },
    'many values in many alternatives': {
      enum: Array.from({ length: 10_000 }, (_, index) => index),
      oneOf: Array.from({ length: 120 }, (_, index) => ({
        type: 'object',
        properties: { kind: { const: index } },
        required: ['kind'],
      })),
    },
    'many subschemas in many alternatives': {
      allOf: [
        { anyOf: Array.from({ length: 120 }, (_, maxLength) => ({ maxLength })) },
        ...Array.from({ length: 5000 }, (_, minLength) => ({ minLength })),
      ],
    },
    'many subschemas that say nothing in many alternatives': {
      allOf: [
        { anyOf: Array.from({ length: 120 }, (_, maxLength) => ({ maxLength })) },
        ...new Array<true>(19_000).fill(true),
      ],
    },
    'a long name around many': {
      properties: { ['n'.repeat(60_000)]: named(5000, () => ({})) },
    },
    'names of Object.prototype': JSON.parse(
      '{"properties": {"__proto__": {"type": "integer"}, "constructor": true}, "required": ["__proto__", "toString"]}',
    ) as JsonSchema,
  }
  for (const [name, schema] of Object.entries(schemas))
    it(`are compiled or refused soon: ${name}`, () => {
      const before = process.cpuUsage()
      const message = refusal(schema)
      const { user, system } = process.cpuUsage(before)
      assert.ok(user + system < 2e6, `${(user + system) / 1e6} s`)
      if (message === 'none') randomReply(schemaGrammar(schema), seededRandom(name), 100)
    })
})
