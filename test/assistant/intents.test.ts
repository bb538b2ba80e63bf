import assert from 'node:assert/strict'
import type { Message, Part } from '#src/assistant/conversation.js'
import { intentOf } from '#src/assistant/intents.js'

const recording = { kind: 'recording', samples: new Float32Array(160) } as const
const other = { kind: 'recording', samples: new Float32Array(320) } as const
const text = (value: string): Part => ({ kind: 'text', text: value })
const user = (...parts: Part[]): Message => ({ role: 'user', parts })

describe('assistant/intents', () => {
  for (const order of [
    'transcribe',
    'transcribe this',
    'transcribe the recording',
    'Transcribe.',
    'TRANSCRIBE THIS:',
    'transcribe the recording.',
    '  \n Transcribe the Recording: \t',
  ])
    it(`hears in ${JSON.stringify(order)} the order to transcribe`, () => {
      for (const parts of [
        [text(order), recording],
        [recording, text(order)],
      ])
        assert.deepEqual(intentOf([user(...parts)]), { kind: 'transcribe', samples: recording.samples })
    })

  for (const order of [
    '',
    'transcribe it',
    'transcribe  this',
    'transcribe this recording',
    'transcribe the recording!',
    'transcribe..',
    'transcribe .',
    'please transcribe',
    'transcribe this. Then translate it.',
    'transcribed',
    'transcript',
  ])
    it(`leaves ${JSON.stringify(order)} to the language model`, () => {
      assert.equal(intentOf([user(text(order), recording)]), null)
    })

  it('transcribes only one recording beside one text', () => {
    assert.equal(intentOf([user(text('transcribe'))]), null)
    assert.equal(intentOf([user(recording)]), null)
    assert.equal(intentOf([user(text('transcribe'), recording, other)]), null)
    assert.equal(intentOf([user(text('transcribe'), text(''), recording)]), null)
    assert.equal(intentOf([user(text('transcribe'), text('this'), recording)]), null)
  })

  for (const [order, rest] of [
    ['say: Hello there.', 'Hello there.'],
    ['Say:Hello', 'Hello'],
    ['READ ALOUD:  two  spaces \n and a line ', 'two  spaces \n and a line'],
    ['  read aloud: say: twice', 'say: twice'],
    ['say:', ''],
  ] as const)
    it(`hears in ${JSON.stringify(order)} the order to say the rest`, () => {
      assert.deepEqual(intentOf([user(text(order))]), { kind: 'say', text: rest })
      assert.deepEqual(intentOf([user(recording, text(order))]), { kind: 'say', text: rest })
    })

  for (const order of [
    'say hello',
    'say : hello',
    'I say: hello',
    'says: hello',
    'read: hello',
    'read  aloud: x',
  ])
    it(`leaves ${JSON.stringify(order)} to the language model, too`, () => {
      assert.equal(intentOf([user(text(order))]), null)
    })

  it('looks at the last user message only', () => {
    const answer: Message = { role: 'assistant', parts: [text('Certainly.')] }
    const system: Message = { role: 'system', parts: [text('say: nothing')] }
    assert.equal(intentOf([user(text('say: one')), answer, user(text('And now?'))]), null)
    assert.deepEqual(intentOf([system, user(text('Hello')), answer, user(text('say: two'))]), {
      kind: 'say',
      text: 'two',
    })
    assert.equal(intentOf([system]), null)
    assert.equal(intentOf([]), null)
  })
})
