import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replyId } from '#src/assistant/reply-id.js'
import { ServiceError } from '#src/errors.js'
import type { ChatMessage } from '#src/http/chat-schema.js'
import { conversation } from '#src/http/conversation.js'
import { root } from '../root.js'

const wav = readFileSync(join(root, 'test/audio/clips/spk1_snt4.wav'))
const limits = { maxSeconds: 60 }
const recording = (data: string, format = 'wav') =>
  ({ type: 'input_audio', input_audio: { data, format } }) as const
const user = (content: ChatMessage['content']): ChatMessage => ({ role: 'user', content: content ?? null })

describe('http/conversation', () => {
  it('takes strings and parts in their order, and developers for the system', async () => {
    const messages: ChatMessage[] = [
      { role: 'developer', content: 'Be brief.' },
      user([{ type: 'text', text: 'One' }, recording(wav.toString('base64')), { type: 'text', text: 'two' }]),
    ]
    const [system, asked] = await conversation(messages, limits)
    assert.deepEqual(system, { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] })
    assert.deepEqual(
      asked?.parts.map((part) => (part.kind === 'text' ? part.text : part.samples.length)),
      ['One', 40480, 'two'],
    )
  })

  it('unfolds the id of a spoken reply', async () => {
    const reply: ChatMessage = { role: 'assistant', content: null, audio: { id: replyId('Nine o’clock.') } }
    assert.deepEqual(await conversation([reply], limits), [
      { role: 'assistant', parts: [{ kind: 'text', text: 'Nine o’clock.' }] },
    ])
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
      'another format',
      user([recording('AAAA', 'mp3')]),
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
      await assert.rejects(conversation([user('Hello.'), message], { maxSeconds: 2 }), (error: unknown) => {
        assert.ok(error instanceof ServiceError)
        assert.deepEqual([error.code, error.param], [code, `messages[1].${param}`])
        return true
      })
    })
})
