import assert from 'node:assert/strict'
import { type Part, readableText } from '#src/assistant/conversation.js'

const recordings = ['What time is it?', 'And tomorrow?', ''].map((says) => ({
  says,
  part: { kind: 'recording', samples: new Float32Array(1) } as const,
}))
const transcriptOf = (samples: Float32Array) =>
  recordings.find(({ part }) => part.samples === samples)?.says ?? assert.fail('an unknown recording')
const read = (...parts: Part[]) => readableText({ parts }, transcriptOf)
const text = (value: string): Part => ({ kind: 'text', text: value })
const [time, tomorrow, silence] = recordings.map(({ part }) => part) as [Part, Part, Part]

describe('assistant/conversation', () => {
  it('passes text on as it is, parts joined', () => {
    assert.equal(read(text(' Hello \n')), ' Hello \n')
    assert.equal(read(text('Hel'), text('lo')), 'Hello')
    assert.equal(read(text('')), '')
  })

  it('puts a recording behind the own text and a blank line', () => {
    assert.equal(
      read(text('Answer briefly.'), time),
      'Answer briefly.\n\nThe recording says: "What time is it?"',
    )
  })

  it('needs no own text', () => {
    assert.equal(read(time), 'The recording says: "What time is it?"')
    assert.equal(read(text(''), time), 'The recording says: "What time is it?"')
    assert.equal(read(silence), 'The recording says: ""')
  })

  it('puts the own text first, joined, wherever the recordings stand, and those in their order', () => {
    assert.equal(
      read(time, text('Answer'), tomorrow, text(' briefly.')),
      'Answer briefly.\n\nThe recording says: "What time is it?"\n\nThe recording says: "And tomorrow?"',
    )
    assert.equal(
      read(tomorrow, time),
      'The recording says: "And tomorrow?"\n\nThe recording says: "What time is it?"',
    )
  })
})
