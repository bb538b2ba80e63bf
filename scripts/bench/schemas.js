/**
 * Replies that must follow a JSON schema, from a running service: each of a set of schemas with several seeds, through
 * OpenAI's wire. Counts those that parse and validate, those that the token limit cut, and prints what was refused. Fails
 * where one does not validate, or none does.
 * usage: node scripts/bench/schemas.js [URL [SEEDS [FOLDER]]]   FOLDER: more schemas, one a file (*.json)
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const [url = 'http://localhost:8000', seeds = '5', folder] = process.argv.slice(2)

/** A question, and the schema of its answer. */
const questions = [
  {
    question: 'Invent a person.',
    schema: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 40 },
        age: { type: 'integer', minimum: 0, maximum: 120 },
        email: { type: ['string', 'null'], format: 'email' },
        born: { type: 'string', format: 'date' },
      },
      required: ['name', 'age', 'email', 'born'],
      additionalProperties: false,
    },
  },
  {
    question: 'Solve 8x + 7 = -23 step by step.',
    schema: {
      type: 'object',
      properties: {
        steps: {
          type: 'array',
          minItems: 1,
          maxItems: 4,
          items: {
            type: 'object',
            properties: {
              explanation: { type: 'string', maxLength: 120 },
              output: { type: 'string', maxLength: 40 },
            },
            required: ['explanation', 'output'],
            additionalProperties: false,
          },
        },
        answer: { type: 'number', exclusiveMinimum: -1000, exclusiveMaximum: 1000 },
      },
      required: ['steps', 'answer'],
      additionalProperties: false,
    },
  },
  {
    question: 'Is "I love this phone" positive or negative?',
    schema: {
      type: 'object',
      properties: { sentiment: { enum: ['positive', 'negative', 'neutral'] }, sure: { type: 'boolean' } },
      required: ['sentiment', 'sure'],
      additionalProperties: false,
    },
  },
  {
    question: 'Give the address of a house in Paris.',
    schema: {
      type: 'object',
      properties: {
        street: { type: 'string', pattern: "^[A-Z][A-Za-z '-]{2,30}$" },
        number: { type: 'integer', minimum: 1, maximum: 300 },
        zip: { type: 'string', pattern: '^75[0-9]{3}$' },
        country: { const: 'FR' },
      },
      required: ['street', 'number', 'zip', 'country'],
      additionalProperties: false,
    },
  },
  {
    question: 'Draw a small family tree.',
    schema: {
      $ref: '#/$defs/person',
      $defs: {
        person: {
          type: 'object',
          properties: {
            name: { type: 'string', maxLength: 20 },
            children: { type: 'array', items: { $ref: '#/$defs/person' }, maxItems: 2 },
          },
          required: ['name', 'children'],
          additionalProperties: false,
        },
      },
    },
  },
  {
    question: 'Name a shape and its size.',
    schema: {
      anyOf: [
        {
          type: 'object',
          properties: { kind: { const: 'circle' }, radius: { type: 'number', minimum: 0, maximum: 100 } },
          required: ['kind', 'radius'],
          additionalProperties: false,
        },
        {
          type: 'object',
          properties: {
            kind: { const: 'polygon' },
            corners: { type: 'array', minItems: 3, maxItems: 5, items: { $ref: '#/$defs/point' } },
          },
          required: ['kind', 'corners'],
          additionalProperties: false,
        },
      ],
      $defs: {
        point: {
          type: 'array',
          prefixItems: [{ type: 'integer' }, { type: 'integer' }],
          items: false,
          minItems: 2,
        },
      },
    },
  },
  { question: 'Describe the weather as a JSON object.', schema: undefined },
  ...(folder ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []).map((name) => ({
    question: `Write an example of ${name.replace('.json', '')}.`,
    schema: JSON.parse(readFileSync(join(folder ?? '', name), 'utf8')),
  })),
]

let valid = 0
let cut = 0
let invalid = 0
let refused = 0
let tokens = 0
const begun = performance.now()
for (const { question, schema } of questions) {
  const ajv = new Ajv2020({ strict: false, logger: false })
  formats.default(ajv)
  const validate = ajv.compile(schema ?? { type: 'object' })
  for (let seed = 0; seed < Number(seeds); seed++) {
    const answer = await complete({
      messages: [{ role: 'user', content: question }],
      response_format: schema
        ? { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } }
        : { type: 'json_object' },
      temperature: 1,
      max_completion_tokens: 400,
      seed,
    })
    if (answer.error) {
      refused++
      console.log(`refused: ${question} ${answer.error.message}`)
      break
    }
    const { message, finish_reason } = answer.choices[0]
    tokens += answer.usage.completion_tokens
    if (finish_reason === 'length') cut++
    else if (isValid(validate, message.content)) valid++
    else {
      invalid++
      console.log(`NOT VALID: ${question} seed ${seed}: ${message.content}`)
    }
  }
}
const seconds = (performance.now() - begun) / 1000
console.log(
  `${valid} of ${valid + invalid} complete answers validate; ${cut} cut by the token limit; ${refused} refused`,
)
console.log(`${tokens} tokens in ${seconds.toFixed(1)} s: ${(tokens / seconds).toFixed(1)} tok/s`)
process.exitCode = invalid > 0 || valid === 0 ? 1 : 0

/** @param {(value: unknown) => boolean} validate @param {string} text */
function isValid(validate, text) {
  try {
    return validate(JSON.parse(text))
  } catch {
    return false // no JSON, which is what is counted
  }
}

/** @param {object} request */
async function complete(request) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  if (response.ok || response.status === 400) return response.json()
  throw new Error(`${response.status}: ${await response.text()}`)
}
