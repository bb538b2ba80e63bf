import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import type { ChatMessage } from '#src/http/message-schema.js'
import { checkToolMessages } from '#src/http/tool-messages.js'

const user: ChatMessage = { role: 'user', content: 'What time is it in Rome and in Lima?' }
const calls = (...ids: string[]): ChatMessage => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'time', arguments: '{}' } })),
})
const answer = (id: string): ChatMessage => ({ role: 'tool', tool_call_id: id, content: 'Nine.' })

function refused(messages: ChatMessage[], param: string, says: RegExp): void {
  assert.throws(
    () => checkToolMessages(messages),
    (error: unknown) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.code, error.param], ['invalid_value', param])
      assert.match(error.message, says)
      assert.ok(error.message.length < 700)
      return true
    },
  )
}

describe('http/tool-messages', () => {
  it('takes calls with their answers, in any order, and again later under the same ids', () => {
    checkToolMessages([user])
    checkToolMessages([user, calls('a'), answer('a')])
    checkToolMessages([user, calls('a', 'b'), answer('b'), answer('a'), user, calls('a'), answer('a'), user])
    checkToolMessages([{ role: 'assistant', content: 'Hi.', tool_calls: null }])
  })

  it('refuses an answer that nobody asked for', () => {
    refused([answer('a')], 'messages[0].tool_call_id', /"a".* no call waits for one/)
    refused([user, calls('a'), answer('b')], 'messages[2].tool_call_id', /"b".* those without one are "a"/)
    refused([user, calls('a'), answer('a'), answer('a')], 'messages[3].tool_call_id', /no call waits/)
    refused([user, calls('a'), answer('a'), user, answer('a')], 'messages[4].tool_call_id', /no call waits/)
    refused([answer('x'.repeat(10_000))], 'messages[0].tool_call_id', /x…"/)
  })

  it('refuses calls that have no answer, naming them', () => {
    refused([user, calls('a')], 'messages[1].tool_calls', /there is none for "a"\.$/)
    refused([user, calls('a', 'b'), answer('a'), user], 'messages[1].tool_calls', /none for "b"\.$/)
    refused([calls('a'), calls('b')], 'messages[0].tool_calls', /none for "a"\.$/)
    const many = Array.from({ length: 128 }, (_, i) => `call_${i}`)
    refused([calls(...many)], 'messages[0].tool_calls', /"call_4" and 123 more/)
  })

  it('refuses two calls with one id', () => {
    refused([calls('a', 'a'), answer('a')], 'messages[0].tool_calls[1].id', /"a", too/)
  })
})
