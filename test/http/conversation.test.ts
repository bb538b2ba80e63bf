import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replyId } from '#src/assistant/reply-id.js'
import { ServiceError } from '#src/errors.js'
import { conversation } from '#src/http/conversation.js'
import type { ChatMessage } from '#src/http/message-schema.js'
import { wav as wavOf } from '../audio/wav-bytes.js'
import { root } from '../root.js'

const wav = readFileSync(join(root, 'test/audio/clips/spk1_snt4.wav'))
const limits = { maxSeconds: 60, maxRecordings: 8 }
const { signal } = new AbortController()
const recording = (data: string, format = 'wav') =>
  ({ type: 'input_audio', input_audio: { data, format } }) as const
type UserMessage = Extract<ChatMessage, { role: 'user' }>
const user = (content: UserMessage['content']): ChatMessage => ({ role: 'user', content })

describe('http/conversation', () => {
  it('takes strings and parts in their order, and developers for the system', async () => {
    const messages: ChatMessage[] = [
      { role: 'developer', content: 'Be brief.' },
      user([{ type: 'text', text: 'One' }, recording(wav.toString('base64')), { type: 'text', text: 'two' }]),
    ]
    const [system, asked] = await conversation(messages, limits, signal)
    assert.deepEqual(system, { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] })
    assert.deepEqual(
      asked?.parts.map((part) => (part.kind === 'text' ? part.text : part.samples.length)),
      ['One', 40480, 'two'],
    )
  })

  it('unfolds the id of a spoken reply', async () => {
    const reply: ChatMessage = { role: 'assistant', content: null, audio: { id: replyId('Nine o’clock.') } }
    assert.deepEqual(await conversation([reply], limits, signal), [
      { role: 'assistant', parts: [{ kind: 'text', text: 'Nine o’clock.' }] },
    ])
  })

  it('takes calls and their answers, and a refusal for what was said', async () => {
    const call = (id: string, args: string) =>
      ({ id, type: 'function', function: { name: 'time', arguments: args } }) as const
    const messages: ChatMessage[] = [
      { role: 'assistant', content: null, tool_calls: [call('a', '{"place":"Rome"}'), call('b', '')] },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'Nine.' }] },
      { role: 'tool', tool_call_id: 'a', content: 'Three.' },
      { role: 'assistant', audio: { id: replyId('I look.') }, tool_calls: [call('c', '{}')] },
      { role: 'tool', tool_call_id: 'c', content: '' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }], tool_calls: [] },
      { role: 'assistant', content: null, refusal: 'Never.' },
    ]
    const said = (text: string) => [{ kind: 'text', text }]
    assert.deepEqual(await conversation(messages, limits, signal), [
      {
        role: 'assistant',
        parts: [],
        toolCalls: [
          { id: 'a', name: 'time', arguments: '{"place":"Rome"}' },
          { id: 'b', name: 'time', arguments: '' },
        ],
      },
      { role: 'tool', callId: 'b', parts: said('Nine.') },
      { role: 'tool', callId: 'a', parts: said('Three.') },
      {
        role: 'assistant',
        parts: said('I look.'),
        toolCalls: [{ id: 'c', name: 'time', arguments: '{}' }],
      },
      { role: 'tool', callId: 'c', parts: said('') },
      { role: 'assistant', parts: said('No.') },
      { role: 'assistant', parts: said('Never.') },
    ])
  })

  it('bounds the arguments of all calls together', async () => {
    const called = (id: string, length: number): ChatMessage[] => [
      {
        role: 'assistant',
        tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: ' '.repeat(length) } }],
      },
      { role: 'tool', tool_call_id: id, content: '' },
    ]
    await conversation([...called('a', 600_000), ...called('b', 448_576)], limits, signal)
    await assert.rejects(conversation([...called('a', 600_000), ...called('b', 448_577)], limits, signal), {
      code: 'invalid_value',
      param: 'messages[2].tool_calls',
      message: /together more than 1048576 characters/,
    })
  })

  for (const [what, message, code, param] of [
    [
      'an id that is not ours',
      { role: 'assistant', audio: { id: 'audio_x' } },
      'invalid_audio_id',
      'audio.id',
    ],
    ['an assistant without content', { role: 'assistant' }, 'missing_required_parameter', 'content'],
    [
      'an answer to no call',
      { role: 'tool', tool_call_id: 'a', content: '' },
      'invalid_value',
      'tool_call_id',
    ],
    [
      'a call in the old form',
      { role: 'assistant', function_call: { name: 'f' } },
      'unsupported_value',
      'function_call',
    ],
    [
      'another format',
      user([recording('AAAA', 'wma')]),
      'unsupported_value',
      'content[0].input_audio.format',
    ],
    ['broken base64', user([recording('AAA?')]), 'invalid_base64', 'content[0].input_audio.data'],
    ['a recording that is none', user([recording('AAAA')]), 'invalid_audio', 'content[0].input_audio.data'],
    [
      'a long recording',
      user([{ type: 'text', text: 'x' }, recording(wav.toString('base64'))]),
      'audio_too_long',
      'content[1].input_audio.data',
    ],
  ] as [string, ChatMessage, string, string][])
    it(`names the place of ${what}`, async () => {
      await assert.rejects(
        conversation([user('Hello.'), message], { ...limits, maxSeconds: 2 }, signal),
        (error: unknown) => {
          assert.ok(error instanceof ServiceError)
          assert.deepEqual([error.code, error.param], [code, `messages[1].${param}`])
          return true
        },
      )
    })

  /** One second each. */
  const second = (rate: number) => recording(wavOf(Buffer.alloc(2 * rate), { rate }).toString('base64'))
  const refused = (messages: ChatMessage[], code: string, param: string, says: RegExp, more = limits) =>
    assert.rejects(conversation(messages, more, signal), (error: unknown) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.code, error.param], [code, param])
      assert.match(error.message, says)
      return true
    })

  it('bounds the recordings of all messages together, by their length', async () => {
    const messages = [
      user([second(16000), second(8000)]),
      user('And?'),
      user([{ type: 'text', text: 'x' }, second(44100)]),
    ]
    const [first, , last] = await conversation(messages, { ...limits, maxSeconds: 3 }, signal)
    assert.deepEqual([first?.parts.length, last?.parts.length], [2, 2])
    await refused(
      messages,
      'audio_too_long',
      'messages[2].content[1].input_audio.data',
      /^messages\[2\]\.content\[1\]\.input_audio\.data: .* together 3 s long; the limit is 2 s \(MAX_AUDIO_SECONDS\)$/,
      { ...limits, maxSeconds: 2 },
    )
  })

  it('bounds the number of recordings', async () => {
    const eight = Array.from({ length: 8 }, () => second(16000))
    assert.equal((await conversation([user(eight)], limits, signal))[0]?.parts.length, 8)
    await refused(
      [user(eight), user([second(16000)])],
      'invalid_value',
      'messages[1].content[0].input_audio',
      /^messages\[1\]\.content\[0\]\.input_audio: .* recording 9 .* the limit is 8$/,
    )
  })

  it('bounds the transcripts of all reply ids together, and takes little memory to refuse', async () => {
    const reply: ChatMessage = { role: 'assistant', audio: { id: replyId('a'.repeat(1 << 19)) } }
    assert.equal((await conversation([reply, user('And?'), reply], limits, signal)).length, 3)
    const before = process.memoryUsage().rss
    await refused(
      Array.from({ length: 300 }, () => reply),
      'invalid_audio_id',
      'messages[2].audio.id',
      /^messages\[2\]\.audio\.id: .* 1048576 bytes, the limit$/,
    )
    assert.ok(process.memoryUsage().rss - before < 50e6)
  })

  it('stops at the next recording or id when its signal is aborted', async () => {
    const ids = Array.from(
      { length: 20_000 },
      (): ChatMessage => ({ role: 'assistant', audio: { id: replyId('') } }),
    )
    const recordings = [user(Array.from({ length: 64 }, () => second(48000)))]
    for (const messages of [ids, recordings]) {
      const controller = new AbortController()
      const reason = new Error('gone')
      const begun = performance.now()
      const reading = conversation(messages, { maxSeconds: 600, maxRecordings: 64 }, controller.signal)
      setTimeout(() => controller.abort(reason), 1)
      await assert.rejects(reading, reason)
      assert.ok(performance.now() - begun < 400, `${performance.now() - begun} ms`)
    }
  })
})
