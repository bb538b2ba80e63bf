/** Whatever the models do, OpenAI's client puts the stream of it together to the very answer that is not streamed. */
import assert from 'node:assert/strict'
import type { OpenAI } from 'openai'
import type { GenerateEvent } from '#src/models/llama/request.js'
import { type Completion, chatPath, openai } from './client.js'
import { calling, end, type Scripted, start, startScripted, words } from './scripted.js'

const tools = ['time', 'weather'].map((name) => ({ type: 'function' as const, function: { name } }))
const spoken = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'pcm16' } }
const time = calling('call_a', 'time', ['{"place', '":"Rome"}'])
const weather = calling('call_b', 'weather', ['{}'], 1)
const likely = (token: string, logprob = -0.5) => ({ token, bytes: [...Buffer.from(token)], logprob })
const told = (choice: number, ...tokens: string[]) => ({
  kind: 'text' as const,
  choice,
  text: tokens.join(''),
  logprobs: tokens.map((token) => ({ ...likely(token), top: [likely(token), likely('x', -9999)] })),
})

/** A token that is no text yet. */
const half = { ...told(0), logprobs: [{ ...likely('\ufffd'), bytes: [0xf0], top: [] }] }

const cases: [what: string, asks: object, does: GenerateEvent[], content: string | null][] = [
  ['a text', {}, [words('Good '), words('day.'), end()], 'Good day.'],
  ['a text where functions could be called', { tools }, [words('Good day.'), end()], 'Good day.'],
  ['nothing', {}, [end()], ''],
  ['nothing where functions could be called', { tools }, [end()], ''],
  ['a call', { tools }, [...time, end('calls')], null],
  ['a call without arguments yet', { tools }, [time[0]!, end('length')], null],
  ['calls behind a text', { tools }, [words('I look.'), ...time, ...weather, end('calls')], 'I look.'],
  [
    'calls that are written in turns',
    { tools },
    [time[0]!, weather[0]!, time[1]!, weather[1]!, time[2]!, end('calls')],
    null,
  ],
  [
    'thoughts, which are not told',
    {},
    [{ kind: 'reasoning', choice: 0, text: 'Hm.' }, words('Yes.'), end('stop', { reasoningTokens: 3 })],
    'Yes.',
  ],
  [
    'three replies, one among the other',
    { n: 3, tools },
    [words('B', 1), ...time, words('C', 2), words('b.', 1), end('calls')].concat(
      end('length', { choice: 2 }),
      end('stop', { choice: 1 }),
    ),
    null,
  ],
  [
    'probabilities of each token',
    { n: 2, logprobs: true, top_logprobs: 2 },
    [told(0, 'Go', 'od'), told(1, 'Day'), told(0, '.'), end(), end('stop', { choice: 1 })],
    'Good.',
  ],
  [
    'probabilities of a text that has not ended in a character',
    { logprobs: true },
    [told(0, 'Hm'), half, end('length')],
    'Hm',
  ],
  ['a call before which nothing is said', { tools, logprobs: true }, [half, ...time, end('calls')], null],
  [
    'a call before which nothing is spoken',
    { ...spoken, tools, logprobs: true },
    [half, ...time, end('calls')],
    null,
  ],
  ['a spoken text', spoken, [words('Good day. How are you?'), end()], null],
  ['a spoken nothing', spoken, [end()], null],
  [
    'a text that is spoken before a call',
    { ...spoken, tools },
    [words('I look.'), ...time, end('calls')],
    null,
  ],
  ['a call in place of a spoken text', { ...spoken, tools }, [...time, end('calls')], null],
  ['a spoken text in place of a call', { ...spoken, tools }, [words('No.'), end()], null],
]

describe('POST /v1/chat/completions, streamed and not', () => {
  let service: Scripted
  before(async () => {
    service = await startScripted()
  })
  after(() => service?.close())

  const body = (more: object) => ({
    model: 'any',
    messages: [{ role: 'user' as const, content: 'What time is it in Rome?' }],
    ...more,
  })
  /** Without what differs from request to request, and what the client leaves out. */
  const known = ({ id: _, created: __, system_fingerprint: ___, ...rest }: Completion) =>
    JSON.parse(JSON.stringify(rest)) as Completion

  for (const [what, asks, does, content] of cases)
    it(`agree on ${what}`, async () => {
      service.script = () => [start, ...does]
      const plain = await openai(service).chat.completions.create(body(asks))
      const stream = openai(service).chat.completions.stream({
        ...body(asks),
        stream_options: { include_usage: true },
      })
      const streamed = await stream.finalChatCompletion()
      const [a, b] = [known(streamed as unknown as Completion), known(plain)]
      for (const choice of a.choices) {
        // The helper's own.
        const { parsed: _, ...message } = choice.message as typeof choice.message & { parsed?: null }
        for (const call of message.tool_calls ?? [])
          delete (call as { function: object & { parsed_arguments?: null } }).function.parsed_arguments
        choice.message = { ...message, annotations: [] }
        if (choice.message.audio) Object.assign(choice.message.audio, { expires_at: 0 })
      }
      for (const { message } of b.choices) if (message.audio) message.audio.expires_at = 0
      assert.deepEqual(a, b)
      assert.equal(b.choices[0]!.message.content, content)
      const ends = does.filter((event) => event.kind === 'end')
      assert.equal(b.choices.length, ends.length)
      assert.equal(b.usage!.completion_tokens, 7 * ends.length)
    })

  it('send each id, name and role once, and the usage last', async () => {
    service.script = () => [start, words('I look.'), ...time, ...weather, end('calls')]
    const response = await fetch(service.url + chatPath, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...body({ tools, n: 1 }),
        stream: true,
        stream_options: { include_usage: true },
      }),
    })
    const events = (await response.text()).trimEnd().split('\n\n')
    assert.equal(events.pop(), 'data: [DONE]')
    const chunks = events.map((event) => JSON.parse(event.slice(6)) as OpenAI.Chat.ChatCompletionChunk)
    assert.deepEqual(chunks.pop()!.choices, [])
    assert.deepEqual(
      chunks.map(({ choices: [choice] }) => [choice!.delta, choice!.finish_reason]),
      [
        [{ role: 'assistant', content: null, refusal: null }, null],
        [{ content: 'I look.' }, null],
        [call(0, { id: 'call_a', type: 'function', function: { name: 'time', arguments: '' } }), null],
        [call(0, { function: { arguments: '{"place' } }), null],
        [call(0, { function: { arguments: '":"Rome"}' } }), null],
        [call(1, { id: 'call_b', type: 'function', function: { name: 'weather', arguments: '' } }), null],
        [call(1, { function: { arguments: '{}' } }), null],
        [{}, 'tool_calls'],
      ],
    )
    for (const { usage } of chunks) assert.equal(usage, null)
  })
})

const call = (index: number, delta: object) => ({ tool_calls: [{ index, ...delta }] })
