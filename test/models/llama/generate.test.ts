/** The run half on the engine that is served. */
import assert from 'node:assert/strict'
import { ServiceError, SetupError } from '#src/errors.js'
import { bytesPerRow } from '#src/models/llama/bindings.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import { type GenerateEvent, type GenerateRequest, loadLlama } from '#src/models/llama/generate.js'
import type { Model } from '#src/models/model.js'
import { servedEngine, smollm2 } from './engine.js'
import { chats } from './golden.js'

const counting = chats.find(({ name }) => name === 'count')!
const never = new AbortController().signal
const rowBytes = bytesPerRow(readLlamaConfig(smollm2), Float32Array.BYTES_PER_ELEMENT)

describe('models/llama/generate', () => {
  let model: Model<GenerateRequest, GenerateEvent>
  before(async function () {
    this.timeout(120_000)
    model = await loadLlama(servedEngine())
  })
  after(() => model?.dispose())

  async function reply(request: Partial<GenerateRequest>, from = model) {
    const events: GenerateEvent[] = []
    const whole = { messages: counting.messages, maxTokens: 24, temperature: 0, ...request }
    for await (const event of from.run(whole, never)) events.push(event)
    const pieces = events.flatMap((event) => (event.kind === 'text' ? [event.text] : []))
    const last = events.at(-1)
    assert.ok(events[0]?.kind === 'start' && last?.kind === 'end')
    return { start: events[0], pieces, text: pieces.join(''), end: last }
  }
  const small = (rows: number) => loadLlama({ ...servedEngine(), stateBytes: rows * rowBytes })

  it('writes the reference text piece by piece', async () => {
    const { start, pieces, text, end } = await reply({ maxTokens: 64 })
    assert.equal(text, counting.greedy_text)
    assert.ok(pieces.length > 30)
    assert.deepEqual(start, { kind: 'start', promptTokens: 43, cachedTokens: 0, recordingTokens: 0 })
    assert.deepEqual(end, {
      kind: 'end',
      choice: 0,
      reason: 'length',
      completionTokens: 64,
      reasoningTokens: 0,
    })
  })

  it('ends by itself at the end token, which is no text', async () => {
    const messages = [{ role: 'user', content: 'Hello!' }]
    const { text, end } = await reply({ messages, maxTokens: 100 })
    assert.equal(end.reason, 'stop')
    assert.ok(end.completionTokens > 1 && end.completionTokens < 100)
    assert.ok(text.length > 5)
    assert.doesNotMatch(text, /<\||\ufffd/)
  })

  it('gives nothing for no tokens', async () => {
    const { text, end } = await reply({ maxTokens: 0 })
    assert.deepEqual([text, end.reason, end.completionTokens], ['', 'length', 0])
  })

  it('ends before a stop string that lies across tokens', async () => {
    const { text, pieces, end } = await reply({ stop: ['never there', '3\n4. ', '5'], maxTokens: 64 })
    assert.equal(text, counting.greedy_text.slice(0, counting.greedy_text.indexOf('3\n4. ')))
    assert.equal(end.reason, 'stop')
    assert.ok(!pieces.some((piece) => piece.endsWith('3')))
  })

  it('draws the same text for the same seed and another for another', async () => {
    const draw = async (seed: number) => (await reply({ temperature: 1, topP: 1, seed, maxTokens: 16 })).text
    const first = await draw(1)
    assert.equal(await draw(1), first)
    assert.notEqual(await draw(2), first)
  })

  it('samples where the request and the checkpoint say nothing', async () => {
    const messages = [{ role: 'user', content: 'Tell me a joke about a cat.' }]
    const draw = async (seed: number) =>
      (await reply({ messages, temperature: undefined as never, seed })).text
    assert.notEqual(await draw(1), await draw(2))
  })

  it('counts the tokens of recordings apart', async () => {
    const content = 'Who says this?\n\nThe recording says: "Hello, world!"'
    const { start } = await reply({
      messages: [{ role: 'user', content }],
      recordings: ['Hello, world!'],
      maxTokens: 1,
    })
    assert.equal(start.recordingTokens, 4)
    assert.ok(start.promptTokens > 40)
  })

  it('stops when cancelled, and serves the next request', async () => {
    const cancel = new AbortController()
    const events = model.run({ messages: counting.messages, maxTokens: 500, temperature: 0 }, cancel.signal)
    let pieces = 0
    await assert.rejects(async () => {
      for await (const event of events) if (event.kind === 'text' && ++pieces === 3) cancel.abort()
    }, /abort/)
    assert.equal(pieces, 3)
    const { text } = await reply({ maxTokens: 64 })
    assert.equal(text, counting.greedy_text)
  })

  it('stops between the pieces of a long prompt', async () => {
    const cancel = new AbortController()
    const messages = [{ role: 'user', content: 'word '.repeat(2000) }]
    setTimeout(() => cancel.abort(), 20)
    const begun = performance.now()
    await assert.rejects(async () => {
      for await (const event of model.run({ messages, maxTokens: 9 }, cancel.signal))
        assert.equal(event.kind, 'start')
    }, /abort/)
    const whole = performance.now() - begun
    assert.ok(whole < 5000, `${whole} ms`)
  })

  it('cuts the reply to what the context has left', async () => {
    const narrow = await small(50)
    const { end } = await reply({ maxTokens: 64 }, narrow)
    assert.deepEqual(end, {
      kind: 'end',
      choice: 0,
      reason: 'length',
      completionTokens: 7,
      reasoningTokens: 0,
    })
    assert.equal(narrow.facts.contextTokens, 50)
    await narrow.dispose()
  })

  it('refuses a conversation that does not fit, with both numbers', async () => {
    const narrow = await small(43)
    await assert.rejects(reply({}, narrow), (error) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.code, error.param], ['context_length_exceeded', 'messages'])
      assert.match(error.message, /43 tokens.* 43,/)
      return true
    })
    await narrow.dispose()
    const content = 'word '.repeat(8200)
    await assert.rejects(reply({ messages: [{ role: 'user', content }] }), {
      code: 'context_length_exceeded',
      message: /82\d\d tokens.* 8192,/,
    })
  })

  it('refuses memory for less than two tokens', async () => {
    await assert.rejects(small(1), SetupError)
  })
})
