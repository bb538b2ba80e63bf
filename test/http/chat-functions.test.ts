/** Functions as OpenAI's client offers and runs them. */
import assert from 'node:assert/strict'
import type { OpenAI } from 'openai'
import { makeParseableResponseFormat } from 'openai/lib/parser'
import type { GenerateRequest } from '#src/models/llama/request.js'
import { asked, complete, openai, post, replyOf, spoken } from './client.js'
import { calling, end, type Scripted, start, startScripted, words } from './scripted.js'

const parameters = {
  type: 'object',
  properties: { place: { type: 'string' } },
  required: ['place'],
  additionalProperties: false,
} as const
const tool = (name: string, more: object = {}) => ({ type: 'function' as const, function: { name, ...more } })
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as GenerateRequest

describe('POST /v1/chat/completions with functions', () => {
  let service: Scripted
  before(async () => {
    service = await startScripted()
  })
  after(() => service?.close())
  beforeEach(() => {
    service.asked.length = 0
  })

  /** Asks for the time of two places, then says what it was told. */
  const clock = ({ messages }: GenerateRequest) => {
    const told = messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []))
    if (told.length > 0) return [start, words(`It is ${told.join(' and ')}.`), end()]
    const calls = ['Rome', 'Lima'].flatMap((place, i) =>
      calling(`call_${place}`, 'time', ['{"pla', `ce":"${place}"}`], i),
    )
    return [start, words('One moment.'), ...calls, end('calls')]
  }

  for (const stream of [false, true])
    it(`lets OpenAI's client run them, ${stream ? 'streamed' : 'not streamed'}`, async () => {
      service.script = clock
      const places: string[] = []
      const time = {
        type: 'function' as const,
        function: {
          name: 'time',
          description: 'The time at a place.',
          parameters: parameters as unknown as Record<string, unknown>,
          parse: JSON.parse as (text: string) => { place: string },
          function: ({ place }: { place: string }) => {
            places.push(place)
            return place === 'Rome' ? 'nine' : 'three'
          },
        },
      }
      const request = {
        model: 'any',
        messages: [{ role: 'user' as const, content: 'What time is it in Rome and Lima?' }],
        tools: [time],
      }
      const runner = stream
        ? openai(service).chat.completions.runTools({ ...request, stream: true })
        : openai(service).chat.completions.runTools(request)
      assert.equal(await runner.finalContent(), 'It is nine and three.')
      assert.deepEqual(places, ['Rome', 'Lima'])
      const [first, second] = service.asked.map(plain)
      assert.deepEqual(first!.tools, [
        { name: 'time', description: 'The time at a place.', parameters, index: 0 },
      ])
      assert.equal(first!.toolChoice, 'auto')
      assert.deepEqual(second!.messages, [
        { role: 'user', content: 'What time is it in Rome and Lima?' },
        {
          role: 'assistant',
          content: 'One moment.',
          toolCalls: [
            { id: 'call_Rome', name: 'time', arguments: '{"place":"Rome"}' },
            { id: 'call_Lima', name: 'time', arguments: '{"place":"Lima"}' },
          ],
        },
        { role: 'tool', callId: 'call_Rome', content: 'nine' },
        { role: 'tool', callId: 'call_Lima', content: 'three' },
      ])
    })

  it('tells the client of each call while it is written', async () => {
    service.script = clock
    const stream = openai(service).chat.completions.stream({
      model: 'any',
      messages: [{ role: 'user', content: 'What time is it?' }],
      tools: [tool('time', { parameters, strict: true })],
    })
    const seen: string[] = []
    stream.on('tool_calls.function.arguments.delta', ({ index, arguments_delta }) => {
      seen.push(`${index}:${arguments_delta}`)
    })
    stream.on('tool_calls.function.arguments.done', ({ name, parsed_arguments: args }) => {
      seen.push(`${name} ${JSON.stringify(args)}`)
    })
    await stream.done()
    assert.deepEqual(
      seen.filter((text) => !text.endsWith(':')),
      [
        '0:{"pla',
        '0:ce":"Rome"}',
        'time {"place":"Rome"}',
        '1:{"pla',
        '1:ce":"Lima"}',
        'time {"place":"Lima"}',
      ],
    )
    assert.equal(plain(service.asked[0]).tools![0]!.strict, true)
  })

  it('speaks what is said, and has no sound for a call', async () => {
    service.script = clock
    const request = asked('What time is it?', { ...spoken, tools: [tool('time')] })
    const { choices, usage } = await complete(service, request)
    const { audio, content, tool_calls } = choices[0]!.message
    assert.deepEqual([audio?.transcript, content, tool_calls?.length], ['One moment.', null, 2])
    assert.equal(Buffer.from(audio!.data, 'base64').length, 44 + 2 * 'One moment.'.length)
    assert.equal(usage?.completion_tokens_details?.audio_tokens, 0)
    service.script = () => [start, ...calling('call_1', 'time', ['{}']), end('calls')]
    const silent = (await complete(service, request)).choices[0]!
    assert.ok(!('audio' in silent.message))
    assert.equal(silent.finish_reason, 'tool_calls')

    const next = [
      { role: 'user', content: 'What time is it?' },
      { role: 'assistant', audio: { id: audio!.id }, tool_calls },
      ...tool_calls!.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'nine' })),
    ]
    service.script = clock
    const answer = await complete(service, { messages: next, ...spoken, tools: [tool('time')] })
    assert.equal(answer.choices[0]!.message.audio?.transcript, 'It is nine and nine.')
    const read = service.asked.at(-1)!.messages[1]!
    assert.equal(read.content, 'One moment.')
  })

  it('takes no orders where functions or several replies are asked for', async () => {
    service.script = ({ choices = 1 }) => [
      start,
      words('Thought.'),
      ...Array.from({ length: choices }, (_, choice) => end('stop', { choice })),
    ]
    for (const more of [{ tools: [tool('time')] }, { n: 2 }, { logprobs: true }])
      assert.equal(replyOf(await complete(service, asked('say: hi', more))), 'Thought.')
    assert.equal(replyOf(await complete(service, asked('say: hi', { tools: [], n: 1 }))), 'hi')
  })

  it('asks for a form of reply that the client reads', async () => {
    const schema = { type: 'object', properties: { hour: { type: 'integer' } }, required: ['hour'] }
    const format = makeParseableResponseFormat(
      { type: 'json_schema', json_schema: { name: 'time', strict: true, schema } },
      (content) => JSON.parse(content) as { hour: number },
    )
    service.script = () => [start, words('{"hour"'), words(':9}'), end()]
    const request = { model: 'any', messages: [{ role: 'user' as const, content: 'When?' }] }
    const client = openai(service).chat.completions
    const parsed = await client.parse({ ...request, response_format: format })
    assert.deepEqual(parsed.choices[0]!.message.parsed, { hour: 9 })
    const streamed = await client.stream({ ...request, response_format: format }).finalChatCompletion()
    assert.deepEqual(streamed.choices[0]!.message.parsed, { hour: 9 })
    for (const { format: form } of service.asked) assert.deepEqual(form, { kind: 'schema', schema })
    await client.create({ ...request, response_format: { type: 'json_object' } })
    assert.deepEqual(service.asked.at(-1)!.format, { kind: 'json' })
  })

  it('passes on what else may be asked of a reply', async () => {
    await complete(service, {
      ...asked('Hi.'),
      n: 1,
      frequency_penalty: 0.5,
      presence_penalty: -0.5,
      logit_bias: { 7: -100 },
      logprobs: true,
      top_logprobs: 3,
      seed: 5,
      stop: ['END'],
      max_completion_tokens: 40,
      reasoning_effort: 'high',
      ...{ store: true, metadata: { a: 'b' }, user: 'u', verbosity: 'low', service_tier: 'flex' },
      prediction: { type: 'content', content: 'Hello.' },
    })
    assert.deepEqual(plain(service.asked[0]), {
      messages: [{ role: 'user', content: 'Hi.' }],
      recordings: [],
      choices: 1,
      maxTokens: 40,
      temperature: 0,
      frequencyPenalty: 0.5,
      presencePenalty: -0.5,
      logitBias: { 7: -100 },
      seed: 5,
      stop: ['END'],
      topLogprobs: 3,
      reasoningEffort: 'high',
    })
  })

  it('tells the tokens that were there already, and those that were thought', async () => {
    service.script = () => [start, words('Yes.'), end('stop', { completionTokens: 9, reasoningTokens: 5 })]
    const usage = (await complete(service, asked('Hi.'))).usage as OpenAI.CompletionUsage
    assert.deepEqual(usage, {
      prompt_tokens: 20,
      completion_tokens: 9,
      total_tokens: 29,
      prompt_tokens_details: { audio_tokens: 0, cached_tokens: 8, text_tokens: 20 },
      completion_tokens_details: {
        accepted_prediction_tokens: 0,
        audio_tokens: 0,
        reasoning_tokens: 5,
        rejected_prediction_tokens: 0,
        text_tokens: 4,
      },
    })
  })

  for (const [what, more, code, param] of [
    ['functions in the old form', { functions: [{ name: 'f' }] }, 'unsupported_value', 'functions'],
    ['a function that is none', { tools: [{ type: 'custom' }] }, 'invalid_value', 'tools[0].type'],
    ['a choice of nothing', { tool_choice: 'required' }, 'invalid_value', 'tool_choice'],
    [
      'an answer to no call',
      { messages: [{ role: 'tool', tool_call_id: 'x', content: '' }] },
      'invalid_value',
      'messages[0].tool_call_id',
    ],
    [
      'a call in the old form',
      { messages: [{ role: 'assistant', function_call: { name: 'f', arguments: '' } }] },
      'unsupported_value',
      'messages[0].function_call',
    ],
    [
      'a form of a spoken reply',
      { ...spoken, response_format: { type: 'json_object' } },
      'unsupported_value',
      'response_format',
    ],
    ['several spoken replies', { ...spoken, n: 2 }, 'unsupported_value', 'n'],
    ['a token that is not there', { logit_bias: { 1000: 1 } }, 'invalid_value', 'logit_bias'],
  ] as [string, object, string, string][])
    for (const stream of [false, true])
      it(`refuses ${what}, ${stream ? 'streamed' : 'not streamed'}`, async () => {
        const { status, error } = await post(service, asked('Hi.', { ...more, stream }))
        assert.deepEqual([status, error.code, error.param], [400, code, param])
        assert.equal(service.asked.length, 0)
      })
})
