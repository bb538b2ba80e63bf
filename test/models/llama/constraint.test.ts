import assert from 'node:assert/strict'
import { Grammars } from '#src/grammar/grammars.js'
import { constraintOf, toolsOf } from '#src/models/llama/constraint.js'
import type { GenerateRequest, Tool } from '#src/models/llama/request.js'
import { hermes } from '#src/models/llama/tools.js'

const request: GenerateRequest = { messages: [], maxTokens: 9 }
const tools: Tool[] = [
  {
    name: 'add',
    parameters: {
      type: 'object',
      properties: { a: { type: 'integer' } },
      required: ['a'],
      additionalProperties: false,
    },
  },
  { name: 'now' },
]

describe('models/llama/constraint', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
  const stop = 256
  const grammars = new Grammars({
    size: 257,
    bytes: (id) => bytes[id] ?? new Uint8Array(0),
    stopTokens: new Set([stop]),
    specialId: () => undefined,
  })
  const begin = (given: Partial<GenerateRequest>, parallel = true) => {
    const whole = { ...request, ...given }
    return constraintOf(whole, toolsOf(whole), hermes, parallel, grammars)
  }
  /** Whether the reply may be this text, and end after it. */
  function allows(text: string, given: Partial<GenerateRequest>, parallel = true): boolean {
    const constraint = begin(given, parallel)!()
    for (const token of [...Buffer.from(text), stop]) {
      const logits = new Float32Array(257)
      constraint.mask(logits)
      if (logits[token] !== 0) return false
      constraint.accept(token)
    }
    return true
  }
  const call = (name: string, args: string) =>
    `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`

  it('is none where nothing asks for one', () => {
    assert.equal(begin({}), undefined)
    assert.equal(begin({ tools, toolChoice: 'none' }), undefined)
  })

  it('is the form of the reply', () => {
    const format = { kind: 'json' } as const
    assert.ok(allows('{"a": 1}', { format }))
    assert.ok(!allows('Hello', { format }))
    const schema = {
      type: 'object',
      properties: { b: { const: 1 } },
      required: ['b'],
      additionalProperties: false,
    }
    assert.ok(allows('{"b": 1}', { format: { kind: 'schema', schema } }))
    assert.ok(!allows('{"b": 2}', { format: { kind: 'schema', schema } }))
  })

  it('is that of calls, from their beginning on where they are left to the model', () => {
    assert.ok(allows('Hello', { tools }))
    assert.ok(allows(call('add', '{"a": 1}'), { tools }))
    assert.ok(!allows(call('add', '{"a": "1"}'), { tools }))
    assert.ok(!allows(call('sub', '{}'), { tools }))
    assert.ok(!allows('Hello', { tools, toolChoice: 'required' }))
    assert.ok(allows(call('now', '{"x": []}'), { tools, toolChoice: 'required' }))
    assert.ok(!allows(call('now', '{}'), { tools, toolChoice: { name: 'add' } }))
  })

  it('has several calls where request and convention allow it', () => {
    const two = `${call('now', '{}')}\n${call('now', '{}')}`
    assert.ok(allows(two, { tools }))
    assert.ok(!allows(two, { tools, parallelToolCalls: false }))
    assert.ok(!allows(two, { tools }, false))
  })

  it('is either the form or a call where both are asked for', () => {
    const both = { tools, format: { kind: 'json' } as const }
    assert.ok(allows('{"a": 1}', both))
    assert.ok(allows(call('add', '{"a": 1}'), both))
    assert.ok(!allows('Hello', both))
    assert.ok(!allows(`{"a": 1}${call('now', '{}')}`, both))
    assert.ok(!allows('{"a": 1}', { ...both, toolChoice: 'required' }))
  })

  it('refuses schemas that can not be followed', () => {
    const parameters = { type: 'object', properties: { a: { not: {} } }, additionalProperties: false }
    assert.throws(() => begin({ tools: [{ name: 'f', parameters, strict: true }] }), {
      code: 'invalid_value',
      message: /not/,
    })
    assert.ok(allows(call('f', '{"a": 1}'), { tools: [{ name: 'f', parameters }] }))
  })
})
