import assert from 'node:assert/strict'
import type { Shape } from '#src/grammar/shape.js'
import { constraintOf, toolsOf } from '#src/models/llama/constraint.js'
import type { GenerateRequest, Tool } from '#src/models/llama/request.js'
import { hermes } from '#src/models/llama/tools.js'
import { byteVocabulary, Compiler } from '../../grammar/replies.js'

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
  const stop = 256
  const compiler = new Compiler(byteVocabulary())
  const grammars = { of: async (shape: Shape) => compiler.compile(shape) }
  const never = new AbortController().signal
  const begin = (given: Partial<GenerateRequest>, parallel = true) => {
    const whole = { ...request, ...given }
    return constraintOf(whole, toolsOf(whole), { convention: hermes, parallel }, grammars, never)
  }
  /** Whether the reply may be this text, and end after it. */
  async function allows(text: string, given: Partial<GenerateRequest>, parallel = true): Promise<boolean> {
    const constraint = (await begin(given, parallel))!()
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

  it('is none where nothing asks for one', async () => {
    assert.equal(await begin({}), undefined)
    assert.equal(await begin({ tools, toolChoice: 'none' }), undefined)
  })

  it('is the form of the reply', async () => {
    const format = { kind: 'json' } as const
    assert.ok(await allows('{"a": 1}', { format }))
    assert.ok(!(await allows('Hello', { format })))
    const schema = {
      type: 'object',
      properties: { b: { const: 1 } },
      required: ['b'],
      additionalProperties: false,
    }
    assert.ok(await allows('{"b": 1}', { format: { kind: 'schema', schema } }))
    assert.ok(!(await allows('{"b": 2}', { format: { kind: 'schema', schema } })))
  })

  it('is that of calls, from their beginning on where they are left to the model', async () => {
    assert.ok(await allows('Hello', { tools }))
    assert.ok(await allows(call('add', '{"a": 1}'), { tools }))
    assert.ok(!(await allows(call('add', '{"a": "1"}'), { tools })))
    assert.ok(!(await allows(call('sub', '{}'), { tools })))
    assert.ok(!(await allows('Hello', { tools, toolChoice: 'required' })))
    assert.ok(await allows(call('now', '{"x": []}'), { tools, toolChoice: 'required' }))
    assert.ok(!(await allows(call('now', '{}'), { tools, toolChoice: { name: 'add' } })))
  })

  it('has several calls where request and convention allow it', async () => {
    const two = `${call('now', '{}')}\n${call('now', '{}')}`
    assert.ok(await allows(two, { tools }))
    assert.ok(!(await allows(two, { tools, parallelToolCalls: false })))
    assert.ok(!(await allows(two, { tools }, false)))
  })

  it('is either the form or a call where both are asked for', async () => {
    const both = { tools, format: { kind: 'json' } as const }
    assert.ok(await allows('{"a": 1}', both))
    assert.ok(await allows(call('add', '{"a": 1}'), both))
    assert.ok(!(await allows('Hello', both)))
    assert.ok(!(await allows(`{"a": 1}${call('now', '{}')}`, both)))
    assert.ok(!(await allows('{"a": 1}', { ...both, toolChoice: 'required' })))
  })

  it('refuses schemas that can not be followed', async () => {
    const parameters = { type: 'object', properties: { a: { not: {} } }, additionalProperties: false }
    await assert.rejects(begin({ tools: [{ name: 'f', parameters, strict: true }] }), {
      code: 'invalid_value',
      message: /not/,
    })
    assert.ok(await allows(call('f', '{"a": 1}'), { tools: [{ name: 'f', parameters }] }))
  })
})
