import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import { checkSchemaLength, toolUse } from '#src/http/chat-tools.js'
import type { ToolBody, ToolChoiceBody } from '#src/http/tool-schema.js'

const tool = (name: string, more: object = {}): ToolBody => ({
  type: 'function',
  function: { name, ...more },
})
const [time, weather] = [tool('time'), tool('weather', { description: 'Of a place.', strict: true })]
const named = (name: string) => ({ type: 'function' as const, function: { name } })
const allowed = (mode: 'auto' | 'required', ...names: string[]): ToolChoiceBody => ({
  type: 'allowed_tools',
  allowed_tools: { mode, tools: names.map(named) },
})
const use = (tools: ToolBody[], tool_choice?: ToolChoiceBody | null) =>
  toolUse({ messages: [], tools, tool_choice })
const namesOf = ({ tools }: ReturnType<typeof toolUse>) => tools?.map(({ name }) => name)

function refused(act: () => unknown, param: string, says: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.code, error.param], ['invalid_value', param])
    assert.match(error.message, says)
    return true
  })
}

describe('http/chat-tools', () => {
  it('passes the functions on as they are, null for absent', () => {
    const parameters = { type: 'object', properties: { place: { type: 'string' } } }
    const { tools, toolChoice, parallelToolCalls } = toolUse({
      messages: [],
      tools: [tool('a', { description: null, parameters: null }), tool('weather', { parameters })],
      parallel_tool_calls: false,
    })
    assert.deepEqual(JSON.parse(JSON.stringify(tools)), [
      { name: 'a', index: 0 },
      { name: 'weather', parameters, index: 1 },
    ])
    assert.deepEqual([toolChoice, parallelToolCalls], ['auto', false])
  })

  it('knows every way to choose', () => {
    for (const choice of ['none', 'auto', 'required'] as const)
      assert.deepEqual(use([time, weather], choice).toolChoice, choice)
    assert.equal(use([time], null).toolChoice, 'auto')
    assert.deepEqual(use([time, weather], named('weather')).toolChoice, { name: 'weather' })
    assert.deepEqual(namesOf(use([time, weather], named('weather'))), ['time', 'weather'])
    const some = use([time, weather, tool('more')], allowed('required', 'more', 'time'))
    assert.deepEqual([some.toolChoice, namesOf(some)], ['required', ['time', 'more']])
    // What is wrong with one of them is said of its place in the request.
    assert.deepEqual(
      some.tools?.map(({ index }) => index),
      [0, 2],
    )
  })

  it('refuses to choose what is not there', () => {
    refused(() => use([time], named('weather')), 'tool_choice.function.name', /no tool "weather".* time\.$/)
    refused(
      () => use([time], allowed('auto', 'time', 'rain')),
      'tool_choice.allowed_tools.tools[1].function.name',
      /no tool "rain"/,
    )
    for (const choice of ['required', named('time')] as const)
      refused(() => use([], choice), 'tool_choice', /only allowed when 'tools' are given/)
    for (const choice of ['auto', 'none', null] as const) assert.deepEqual(use([], choice), {})
  })

  it('refuses two functions of one name', () => {
    refused(() => use([time, weather, time]), 'tools[2].function.name', /two tools "time"/)
  })

  it('bounds the schemas of all functions together', () => {
    const long = (length: number) => tool(`f${length}`, { parameters: { description: 'x'.repeat(length) } })
    use([long(50_000), long(60_000)])
    refused(() => use([long(50_000), long(60_001), long(40_000)]), 'tools', /150\d{3} characters.* 131072/)
    checkSchemaLength({}, 'any')
    refused(() => checkSchemaLength({ description: 'x'.repeat(131_072) }, 'here'), 'here', /131\d{3} char/)
  })
})
