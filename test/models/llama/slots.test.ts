import assert from 'node:assert/strict'
import { Request, type Sequence } from '#src/models/llama/sequence.js'
import { Slots } from '#src/models/llama/slots.js'
import { promptOf } from './toy.js'

const CHUNK = 8

describe('models/llama/slots', () => {
  const memory = { signature: { slots: 2 }, reserve: () => true, copy: () => {}, release: () => {} }
  const sequenceOf = (prompt: readonly number[]): Sequence => {
    const reply = { needsRow: false, next: () => ({ kind: 'end' }) as const }
    const signal = new AbortController().signal
    const work = { prompt, replies: [reply], maxTokens: 9, reproducible: true, signal, started: () => {} }
    const [sequence] = new Request(work, 0, () => {}).sequences
    return sequence!
  }

  it('gives a reproducible reply its own rows back from no prompt that has the same text', () => {
    const slots = new Slots(memory, { slots: 2, context: 64, chunk: CHUNK })
    const text = promptOf(1, 6 * CHUNK)
    const whole = sequenceOf(text)
    slots.place(whole)
    for (let piece = 0; piece < 6; piece++) slots.written(whole, CHUNK)
    slots.leave(whole)
    const reply = sequenceOf(text.slice(0, 3 * CHUNK))
    reply.tokens.push(...text.slice(3 * CHUNK, 5 * CHUNK + 1))
    slots.place(reply)
    assert.equal(reply.slot!.rows, 3 * CHUNK)
    const longer = sequenceOf([...text.slice(0, 5 * CHUNK), 1])
    slots.place(longer)
    assert.equal(longer.slot!.rows, 5 * CHUNK)
  })
})
