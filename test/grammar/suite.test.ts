/** The JSON Schema Test Suite (draft 2020-12): what is valid can be written, what is not can not. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '#src/errors.js'
import type { Grammar } from '#src/grammar/grammar.js'
import type { JsonSchema } from '#src/grammar/shape.js'
import { root } from '../root.js'
import { schemaGrammar, takes } from './replies.js'

interface Group {
  readonly description: string
  readonly schema: JsonSchema
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[]
}

const folder = join(root, 'test/golden/json-schema-test-suite')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.json'),
)

/** What is refused, by the reason that a caller is told. */
const refused = [
  /has the keyword "(\$anchor|\$dynamicAnchor|\$dynamicRef|\$vocabulary|contains|dependentRequired|dependentSchemas|else|if|maxContains|minContains|maxProperties|minProperties|not|patternProperties|propertyNames|then|unevaluatedItems|unevaluatedProperties|uniqueItems)"/,
  /has the keyword "oneOf", which is supported where/,
  /has the \$ref "(?!#(\/|"))[^"]*": only references within the schema/,
  /only whole numbers from 1 to 5000 are supported/,
]
/** Valid by the standards, but never written: forms that not every checker takes. */
const neverWritten: Readonly<Record<string, RegExp>> = {
  'format/date-time.json': /leap second|case-insensitive|fifteen nines/,
  'format/time.json': /leap second|case-insensitive/,
  'format/email.json': /quoted string|address-literal/,
  'format/hostname.json':
    /consecutive hyphens|punycode|example\.test|PVALID|MIDDLE DOT|Greek|Hebrew|KATAKANA|Arabic|ZERO WIDTH/,
}

/** All orders of the keys of a value. */
function* writings(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const items of combined(value)) yield `[${items.join(',')}]`
  else if (typeof value === 'object' && value !== null)
    for (const entries of permuted(Object.entries(value)))
      for (const values of combined(entries.map(([, item]: [string, unknown]) => item)))
        yield `{${values.map((text, index) => `${JSON.stringify(entries[index]![0])}:${text}`).join(',')}}`
  else yield JSON.stringify(value)
}

function* combined([first, ...rest]: readonly unknown[]): Generator<string[]> {
  if (first === undefined) yield []
  else for (const text of writings(first)) for (const others of combined(rest)) yield [text, ...others]
}

function* permuted<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [index, item] of items.entries())
    for (const rest of permuted(items.toSpliced(index, 1))) yield [item, ...rest]
}

function compiled({ schema, tests }: Group): Grammar | 'refused' | 'nothing' {
  try {
    return schemaGrammar(schema)
  } catch (error) {
    assert.ok(error instanceof ServiceError, `${error}`)
    assert.equal(error.code, 'invalid_value')
    if (/is satisfied by no value/.test(error.message) && tests.every(({ valid }) => !valid)) return 'nothing'
    const { message } = error
    assert.ok(
      refused.some((reason) => reason.test(message)),
      message,
    )
    return 'refused'
  }
}

describe('schemas of the JSON Schema Test Suite', function () {
  this.timeout(60_000)
  let followed = 0

  for (const file of files)
    it(file, () => {
      for (const group of JSON.parse(readFileSync(join(folder, file), 'utf8')) as Group[]) {
        const grammar = compiled(group)
        if (typeof grammar === 'string') continue
        for (const { description, data, valid } of group.tests) {
          followed++
          const isTaken = [...writings(data)].some((text) => takes(grammar, text))
          const expected = valid && !neverWritten[file]?.test(`${description} ${group.description}`)
          assert.equal(isTaken, expected, `${group.description}: ${description}: ${JSON.stringify(data)}`)
        }
      }
    })

  it('are followed for the most part', () => {
    assert.ok(followed > 800, `${followed} tests`)
  })
})
