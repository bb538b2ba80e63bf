import assert from 'node:assert/strict'
import type { CallableTool, CallConvention, Shape, Vocabulary } from '#src/grammar/shape.js'
import { byteVocabulary, Compiler, takesTokens } from './replies.js'

const tools: readonly CallableTool[] = [
  {
    name: 'get_weather',
    strict: true,
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } },
      required: ['city'],
      additionalProperties: false,
    },
  },
  { name: 'now' },
]
const hermes: CallConvention = {
  name: 'hermes',
  begin: '<tool_call>\n',
  between: '\n</tool_call>\n<tool_call>\n',
  end: '\n</tool_call>',
  argumentsKey: 'arguments',
}
const llama3: CallConvention = {
  name: 'llama3',
  begin: '',
  between: '; ',
  end: '',
  argumentsKey: 'parameters',
}
const mistral: CallConvention = {
  name: 'mistral',
  begin: '[TOOL_CALLS][',
  between: ', ',
  end: ']',
  argumentsKey: 'arguments',
}
const berlin = '{"name": "get_weather", "arguments": {"city": "Berlin"}}'
const now = '{"name": "now", "arguments": {"zone": [1]}}'
const plain = byteVocabulary()
const withTokens = byteVocabulary(['<tool_call>', '</tool_call>', '[TOOL_CALLS]', '<|other|>'])

/** A text in single bytes, special tokens being one. */
function tokens(text: string, vocabulary: Vocabulary): number[] {
  return text.split(/(<[^<>\s]+>|\[[A-Z_]+\])/).flatMap((part) => {
    const special = vocabulary.specialId(part)
    return special === undefined ? [...Buffer.from(part)] : [special]
  })
}

type Calls = Extract<Shape, { kind: 'calls' }>
function judge(convention: CallConvention, vocabulary: Vocabulary, options: Partial<Calls> = {}) {
  const shape: Shape = { kind: 'calls', convention, tools, choice: 'auto', parallel: true, ...options }
  const grammar = new Compiler(vocabulary).compile(shape)
  return (text: string) => takesTokens(grammar, tokens(text, vocabulary), vocabulary)
}

describe('grammars of function calls', () => {
  for (const [name, vocabulary] of [
    ['text', plain],
    ['special tokens', withTokens],
  ] as const) {
    it(`hermes, marks being ${name}: free text, then calls`, () => {
      const takes = judge(hermes, vocabulary)
      assert.ok(takes('Hello {"name": "nobody"} <b>'))
      assert.ok(takes(''))
      assert.ok(takes(`Let me see.\n<tool_call>\n${berlin}\n</tool_call>`))
      assert.ok(takes(`<tool_call>\n${berlin}\n</tool_call>\n<tool_call>\n${now}\n</tool_call>`))
      assert.ok(!takes(`<tool_call>\n${berlin}`), 'without its end')
      assert.ok(!takes(`<tool_call>${berlin}\n</tool_call>`), 'without the line break of the template')
      assert.ok(!takes(`<tool_call>\n${berlin}\n</tool_call> Done.`), 'text behind calls')
      assert.ok(!takes('<tool_call>\n{"name": "nobody", "arguments": {}}\n</tool_call>'))
      assert.ok(!takes('<tool_call>\n{"name": "get_weather", "arguments": {"city": 5}}\n</tool_call>'))
      assert.ok(!takes('<tool_call>\n{"name": "now", "arguments": []}\n</tool_call>'), 'no object')
      assert.ok(!takes('<tool_call>\n{"name": "now"}\n</tool_call>'))
    })
  }

  it('finds the mark behind what looks like its beginning', () => {
    const takes = judge({ ...hermes, begin: '<<a<<b\n', end: '' }, plain)
    assert.ok(takes(`<<a<<a<<b\n${now}`))
    assert.ok(!takes('<<a<<a<<b text'))
    assert.ok(takes('<<a<<a<<c text'))
  })

  it('allows one call where only one is asked for', () => {
    const takes = judge(hermes, plain, { parallel: false })
    assert.ok(takes(`<tool_call>\n${berlin}\n</tool_call>`))
    assert.ok(!takes(`<tool_call>\n${berlin}\n</tool_call>\n<tool_call>\n${now}\n</tool_call>`))
  })

  it('demands a call, or that of one function', () => {
    const any = judge(hermes, withTokens, { choice: 'required' })
    assert.ok(any(`<tool_call>\n${now}\n</tool_call>`))
    assert.ok(!any('Hello'))
    assert.ok(!any(''))
    const one = judge(hermes, withTokens, { choice: { name: 'get_weather' } })
    assert.ok(one(`<tool_call>\n${berlin}\n</tool_call>`))
    assert.ok(!one(`<tool_call>\n${now}\n</tool_call>`))
  })

  it('llama3: a reply that begins with a brace is a call', () => {
    const takes = judge(llama3, withTokens, { parallel: false })
    const call = '{"name": "get_weather", "parameters": {"city": "Rome", "unit": "C"}}'
    assert.ok(takes(call))
    assert.ok(takes(` ${call} and more`), 'text')
    assert.ok(takes('<|other|>any text'))
    assert.ok(takes(''))
    assert.ok(!takes(`${call}; ${call}`))
    assert.ok(!takes('{"name": "get_weather", "parameters": {}}'))
    assert.ok(!takes('{ "a": 1 }'))
    assert.ok(judge(llama3, plain, { choice: 'required' })(`${call}; ${call}`))
  })

  it('mistral: an array of calls', () => {
    for (const vocabulary of [plain, withTokens]) {
      const takes = judge(mistral, vocabulary)
      assert.ok(takes(`[TOOL_CALLS][${berlin}, ${now}]`))
      assert.ok(takes('[TOOL'))
      assert.ok(!takes(`[TOOL_CALLS][${berlin}`))
      assert.ok(!takes('[TOOL_CALLS][]'))
    }
  })

  it('leaves out of account what a function that is not strict can not be held to', () => {
    const parameters = { type: 'object', properties: { at: { type: 'string', format: 'uri' } }, not: {} }
    const shape = (strict: boolean): Partial<Calls> => ({ tools: [{ name: 'go', parameters, strict }] })
    assert.ok(judge(llama3, plain, shape(false))('{"name": "go", "parameters": {"at": "x"}}'))
    assert.ok(!judge(llama3, plain, shape(false))('{"name": "go", "parameters": {"at": 5}}'))
    assert.throws(() => judge(llama3, plain, shape(true)), {
      code: 'invalid_value',
      param: 'tools[0].function.parameters',
      message: 'The schema at # has the keyword "not", which is not supported.',
    })
    const third = { tools: [{ name: 'go', parameters, strict: true, index: 2 }] }
    assert.throws(() => judge(llama3, plain, third), { param: 'tools[2].function.parameters' })
  })
})
