/** Conversations in the terms of real chat templates: what the reference makes of them, and what templates refuse. */
import assert from 'node:assert/strict'
import { conversation, type Guard } from '#src/models/llama/conversation.js'
import { dialectOf } from '#src/models/llama/dialect.js'
import type { ChatMessage, Tool } from '#src/models/llama/request.js'
import { type ChatTemplate, loadChatTemplate } from '#src/text/chat-template.js'
import { smollm2 } from './engine.js'
import { conversations, goldenTemplate, loaded, system, templates, tools, used, user } from './templates.js'

const unguarded: Guard = { text: (text) => text, said: (text) => text }
const render = (
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  given: readonly Tool[] = [],
  variables = {},
) => template.render({ ...conversation(messages, given, dialectOf(template), unguarded), variables })

const today = new Date()
const day = new Intl.DateTimeFormat('en', { day: '2-digit' }).format(today)
const month = new Intl.DateTimeFormat('en', { month: 'short' }).format(today)
const date = `${day} ${month} ${today.getFullYear()}`

describe('conversations in the templates of', () => {
  for (const golden of templates) {
    const template = loaded(golden)
    for (const { name, prompt, effort } of golden.cases)
      it(`${golden.name}: ${name}`, () => {
        const ids = golden.short ? (['abcdefghi', 'ABCDEFGHI'] as const) : ([] as const)
        const messages = name === 'used' ? used(...ids) : conversations[name]!
        const given = name === 'tools' || name === 'used' ? tools : []
        const variables = effort ? { enable_thinking: effort !== 'none' } : {}
        assert.equal(render(template, messages, given, variables), prompt.replaceAll('TODAY', date))
      })
  }
})

describe('models/llama/dialect', () => {
  const facts = (template: ChatTemplate) => {
    const { system: place, alternates, calls, parallelCalls, shortIds, thinks } = dialectOf(template)
    return { place, alternates, calls: calls && calls.name + calls.begin, parallelCalls, shortIds, thinks }
  }
  const plain = { place: 'anywhere', alternates: false, parallelCalls: true, shortIds: false, thinks: false }
  const wanted: Readonly<Record<string, Partial<ReturnType<typeof facts>>>> = {
    'Qwen 2.5': { calls: 'hermes<tool_call>\n' },
    'Qwen 3': { calls: 'hermes<tool_call>\n', thinks: true },
    'Llama 3.2': { calls: 'llama3', parallelCalls: false },
    'Mistral Nemo': { calls: 'mistral[TOOL_CALLS][', place: 'first', alternates: true, shortIds: true },
    'Mistral 7B 0.3': { calls: 'mistral[TOOL_CALLS] [', place: 'first', alternates: true, shortIds: true },
    'Hermes 2 Pro and 3': { calls: 'hermes<tool_call>\n' },
    'Gemma 3': { calls: undefined, place: 'first', alternates: true, parallelCalls: false },
    'Phi 3.5 mini': { calls: undefined, parallelCalls: false },
    'Phi 4 mini': { calls: undefined, place: 'first' },
  }
  for (const [name, differences] of Object.entries(wanted))
    it(`knows ${name}`, () =>
      assert.deepEqual(facts(goldenTemplate(name)), { ...plain, calls: undefined, ...differences }))

  it('knows SmolLM2', () =>
    assert.deepEqual(facts(loadChatTemplate(smollm2)), { ...plain, calls: undefined, parallelCalls: false }))
})

describe('models/llama/conversation', () => {
  const chatml = goldenTemplate('Qwen 2.5')
  const gemma = goldenTemplate('Gemma 3')

  it('tells templates that know no tools of them, in the manner of Hermes', () => {
    const prompt = render(loadChatTemplate(smollm2), used(), tools)
    const [first, ...rest] = prompt.split('<|im_start|>').slice(1)
    assert.match(first!, /^system\nBe brief\.\n\nYou can call functions/)
    const described =
      '{"type": "function", "function": {"name": "get_time", "description": "The time of day.", "parameters": {'
    assert.ok(first!.includes(described))
    assert.ok(
      first!.includes('<tool_call>\n{"name": "<its name>", "arguments": {<its arguments>}}\n</tool_call>'),
    )
    assert.deepEqual(rest, [
      'user\nWhat is the weather in Zürich?<|im_end|>\n',
      'assistant\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Zürich"}}\n</tool_call>\n<tool_call>\n{"name": "get_time", "arguments": {"zone": "CET"}}\n</tool_call><|im_end|>\n',
      'user\n<tool_response>\n{"sky": "clear"}\n</tool_response>\n<tool_response>\n12:00\n</tool_response><|im_end|>\n',
      'assistant\n',
    ])
  })

  it('does so where there is no system message, and where none can be', () => {
    assert.match(render(loadChatTemplate(smollm2), [user], tools), /^<\|im_start\|>system\nYou can call/)
    assert.match(
      render(gemma, [user], tools),
      /^<bos><start_of_turn>user\nYou can call[\s\S]*\n\nWhat is the weather/,
    )
    assert.match(render(goldenTemplate('Phi 3.5 mini'), used(), tools), /<\|user\|>\n<tool_response>/)
  })

  it('keeps what a call was said with', () => {
    const [first, second, third, ...rest] = used()
    const said = { ...third, content: 'I look.' } as ChatMessage
    assert.match(
      render(chatml, [first!, second!, said, ...rest], tools),
      /assistant\nI look\.\n<tool_call>\n\{"name": "get_weather"/,
    )
    assert.match(
      render(loadChatTemplate(smollm2), [first!, second!, said, ...rest], tools),
      /assistant\nI look\.\n<tool_call>\n\{"name": "get_weather"/,
    )
  })

  describe('system messages', () => {
    const late: ChatMessage = { role: 'system', content: 'Be polite.' }
    const answer: ChatMessage = { role: 'assistant', content: 'Sunny.' }
    const refusing = loaded({
      template:
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}",
    })
    const cases: [string, ChatTemplate, readonly ChatMessage[], RegExp][] = [
      [
        'stay where templates take them',
        chatml,
        [system, user, answer, late, user],
        /<\|im_start\|>system\nBe polite/,
      ],
      [
        'are one at the beginning',
        gemma,
        [system, late, user],
        /^<bos><start_of_turn>user\nBe brief\.\n\nBe polite\.\n\nWhat/,
      ],
      [
        'go with what the user says next',
        gemma,
        [system, user, answer, late, user],
        /user\nBe polite\.\n\nWhat/,
      ],
      [
        'are what a user says, where there is no user',
        gemma,
        [user, answer, late],
        /user\nBe polite\.<end_of_turn>/,
      ],
      [
        'are the user’s where they are refused',
        refusing,
        [system, user, answer, user],
        /^<s><user>Be brief\.\n\nWhat/,
      ],
      ['alone, too', refusing, [system], /^<s><user>Be brief\.$/],
    ]
    for (const [name, template, messages, wanted] of cases)
      it(name, () => assert.match(render(template, messages), wanted))
  })

  it('joins what one side says in a row where turns are taken', () => {
    const twice: ChatMessage[] = [user, { role: 'user', content: 'Now.' }]
    assert.match(render(gemma, twice), /user\nWhat is the weather in Zürich\?\n\nNow\.<end_of_turn>/)
    assert.match(render(chatml, twice), /Zürich\?<\|im_end\|>\n<\|im_start\|>user\nNow\./)
  })

  it("gives Mistral's templates ids of nine characters, the same for call and result", () => {
    const prompt = render(goldenTemplate('Mistral Nemo'), used(), tools)
    const ids = [...prompt.matchAll(/"(?:call_)?id": "([^"]*)"/g)].map(([, id]) => id!)
    assert.equal(ids.length, 4)
    assert.deepEqual(ids.slice(0, 2), ids.slice(2))
    assert.notEqual(ids[0], ids[1])
    for (const id of ids) assert.match(id, /^[a-z0-9]{9}$/)
  })

  it('tells of tools without description or parameters', () => {
    const bare: Tool[] = [
      { name: 'now' },
      { name: 'go', parameters: { type: 'object', properties: { to: { type: 'string' } } } },
    ]
    for (const { name } of templates)
      assert.match(render(goldenTemplate(name), [user], bare), /now[\s\S]*go/, name)
  })

  describe('refuses', () => {
    const call = (text: string): ChatMessage[] => [
      user,
      { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'f', arguments: text }] },
    ]
    for (const text of ['{', '[]', '"x"', 'null', `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`])
      it(`arguments like ${text.slice(0, 20)}`, () =>
        assert.throws(() => render(chatml, call(text)), {
          code: 'invalid_value',
          param: 'messages[1].tool_calls[0].function.arguments',
          message: /"f"/,
        }))

    it('results of calls that nobody made', () => {
      const messages: ChatMessage[] = [...call(''), { role: 'tool', callId: 'b', content: '1' }]
      assert.throws(() => render(chatml, messages), { param: 'messages[2].tool_call_id', message: /"b"/ })
    })
  })

  it('takes no arguments for an empty object', () => {
    const toolCalls = [{ id: 'a', name: 'f', arguments: '' }]
    assert.match(render(chatml, [user, { role: 'assistant', content: '', toolCalls }]), /"arguments": \{\}/)
  })
})
