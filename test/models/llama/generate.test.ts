/** The run half on the engine that is served. */
import assert from 'node:assert/strict'
import { ServiceError, SetupError } from '#src/errors.js'
import { bytesPerRow } from '#src/models/llama/bindings.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import { loadLlama } from '#src/models/llama/generate.js'
import type { GenerateEvent, GenerateRequest } from '#src/models/llama/request.js'
import type { Model } from '#src/models/model.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { servedEngine, smollm2 } from './engine.js'
import { chats } from './golden.js'
import { summary } from './vocabulary.js'

const counting = chats.find(({ name }) => name === 'count')!
const never = new AbortController().signal
const tokenizer = loadTokenizer(smollm2)
const rowBytes = bytesPerRow(readLlamaConfig(smollm2), Float32Array.BYTES_PER_ELEMENT)

describe('models/llama/generate', () => {
  let model: Model<GenerateRequest, GenerateEvent>
  before(async function () {
    this.timeout(120_000)
    model = await loadLlama(servedEngine())
  })
  after(() => model?.dispose())

  async function all(request: Partial<GenerateRequest>, from = model): Promise<GenerateEvent[]> {
    const events: GenerateEvent[] = []
    const whole: GenerateRequest = { messages: counting.messages, maxTokens: 24, temperature: 0, ...request }
    for await (const event of from.run(whole, never)) events.push(event)
    return events
  }

  async function reply(request: Partial<GenerateRequest>, from = model) {
    const events = await all(request, from)
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
    const counts = { completionTokens: 64, reasoningTokens: 0 }
    assert.deepEqual(end, { kind: 'end', choice: 0, reason: 'length', ...counts })
  })

  it('ends by itself at the end token, which is no text', async () => {
    const messages = [{ role: 'user' as const, content: 'Hello!' }]
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
    const messages = [{ role: 'user' as const, content: 'Tell me a joke about a cat.' }]
    const draw = async (seed: number) =>
      (await reply({ messages, temperature: undefined as never, seed })).text
    assert.notEqual(await draw(1), await draw(2))
  })

  it('writes several replies to one prompt, each as its seed has it', async () => {
    const request = { temperature: 1, seed: 3, maxTokens: 12 }
    const texts = async (choices: number) => {
      const events = await all({ ...request, choices })
      assert.equal(events.filter(({ kind }) => kind === 'start').length, 1)
      return Array.from({ length: choices }, (_, choice) => {
        const own = events.filter((event) => 'choice' in event && event.choice === choice)
        const end = own.at(-1)
        assert.ok(end?.kind === 'end' && end.completionTokens <= 12)
        return own.flatMap((event) => (event.kind === 'text' ? [event.text] : [])).join('')
      })
    }
    await texts(3) // From here on the prompt is there.
    const three = await texts(3)
    assert.equal(new Set(three).size, 3)
    assert.deepEqual(await texts(3), three)
  })

  it('repeats itself less where that is penalised, and never says what is banned', async () => {
    const messages = [{ role: 'user' as const, content: 'Say "la la la la la la la la" again and again.' }]
    const words = async (given: Partial<GenerateRequest>) => {
      const { text } = await reply({ messages, maxTokens: 40, ...given })
      return new Set(text.split(/\W+/)).size
    }
    assert.ok((await words({ frequencyPenalty: 2, presencePenalty: 2 })) > (await words({})))
    const first = await all({ maxTokens: 1, topLogprobs: 1 })
    const [told] = first.flatMap((event) => (event.kind === 'text' ? (event.logprobs ?? []) : []))
    const likeliest = tokenizer.encode(told!.token)[0]!
    const { text } = await reply({ maxTokens: 1, logitBias: { [likeliest]: -100 } })
    assert.ok(text !== told!.token && told!.top[0]!.token === told!.token)
  })

  it('tells how likely every token was', async () => {
    const events = await all({ maxTokens: 8, topLogprobs: 3 })
    const tokens = events.flatMap((event) => (event.kind === 'text' ? (event.logprobs ?? []) : []))
    assert.equal(tokens.length, 8)
    assert.ok(counting.greedy_text.startsWith(tokens.map(({ token }) => token).join('')))
    for (const [i, { logprob, top }] of tokens.entries()) {
      assert.equal(top.length, 3)
      assert.equal(top[0]!.logprob, logprob, 'the likeliest was taken')
      assert.ok(top[0]!.logprob >= top[1]!.logprob && top[1]!.logprob >= top[2]!.logprob)
      assert.ok(Math.abs(logprob - counting.top10_logprobs[i]![0]!) < 0.25, `${logprob} of token ${i}`)
    }
  })

  it('writes what a schema asks for', async () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 12 },
        age: { type: 'integer', minimum: 0, maximum: 150 },
      },
      required: ['name', 'age'],
      additionalProperties: false,
    }
    for (const seed of [1, 2]) {
      const { text, end } = await reply({
        format: { kind: 'schema', schema },
        temperature: 1,
        seed,
        maxTokens: 80,
      })
      assert.equal(end.reason, 'stop')
      const { name, age, ...rest } = JSON.parse(text)
      assert.ok(typeof name === 'string' && Number.isInteger(age) && age <= 150)
      assert.deepEqual(rest, {})
    }
  })

  it('calls functions, with arguments as their schema has them', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Oslo', 'Rome'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    }
    const tools = [{ name: 'forecast', description: 'The weather of some days.', parameters, strict: true }]
    const messages = [{ role: 'user' as const, content: 'How is the weather in Rome on the next 3 days?' }]
    for (const toolChoice of ['required', { name: 'forecast' }] as const) {
      const events = await all({ messages, tools, toolChoice, parallelToolCalls: false, maxTokens: 80 })
      const { text, calls, end } = summary(events)
      assert.deepEqual([text, end.reason, calls.length, calls[0]!.name], ['', 'calls', 1, 'forecast'])
      const { city, days } = JSON.parse(calls[0]!.arguments)
      assert.ok(['Oslo', 'Rome'].includes(city) && days >= 1 && days <= 9)
      // What it gave is a conversation that goes on.
      const [{ id, name, arguments: given }] = calls as [{ id: string; name: string; arguments: string }]
      const further = await reply({
        messages: [
          ...messages,
          { role: 'assistant', content: '', toolCalls: [{ id, name, arguments: given }] },
          { role: 'tool', callId: id, content: 'Sunny.' },
        ],
        tools,
        toolChoice: 'none',
      })
      assert.ok(further.text.length > 0)
    }
  })

  it('refuses what can not be, before it begins', async () => {
    const cases: [Partial<GenerateRequest>, RegExp][] = [
      [{ format: { kind: 'schema', schema: { not: {} } } }, /not/],
      [{ messages: [{ role: 'tool', callId: 'x', content: '' }] }, /"x"/],
    ]
    for (const [request, message] of cases)
      await assert.rejects(
        all(request),
        (error) => error instanceof ServiceError && message.test(error.message),
      )
  })

  it('goes on writing while it reads what takes long: a text, a schema', async () => {
    const pattern = (index: number) => ({ type: 'string', pattern: `^(a|b)*a(a|b){8}${index}$` })
    const properties = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, pattern(i)]))
    const words = Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(' ')
    const slow: [Partial<GenerateRequest>, RegExp][] = [
      [{ messages: [{ role: 'user', content: words }] }, /at least \d+ tokens, more than the 8192/],
      [{ format: { kind: 'schema', schema: { type: 'object', properties } } }, /too complex/],
    ]
    const stop = new AbortController()
    let written = 0
    const writing = async () => {
      const request = { messages: counting.messages, maxTokens: 4000, logitBias: { 2: -100 }, temperature: 0 }
      for await (const { kind } of model.run(request, stop.signal)) if (kind === 'text') written++
    }
    const stopped = assert.rejects(writing(), /abort/)
    while (written === 0) await new Promise(setImmediate)
    for (const [request, message] of slow) {
      const before = written
      await assert.rejects(all(request), message)
      assert.ok(written > before + 3, `${written - before} tokens`)
    }
    stop.abort()
    await stopped
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
    const engine = servedEngine()
    let runs = 0
    const open: typeof engine.open = async (...given) => {
      const session = await engine.open(...given)
      const run = session.run.bind(session)
      session.run = (...feeds) => {
        if (++runs === 2) cancel.abort()
        return run(...feeds)
      }
      return session
    }
    const watched = await loadLlama({ ...engine, open })
    const messages = [{ role: 'user' as const, content: 'word '.repeat(600) }]
    await assert.rejects(async () => {
      for await (const { kind } of watched.run({ messages, maxTokens: 9 }, cancel.signal)) assert.fail(kind)
    }, /abort/)
    await watched.dispose()
    assert.equal(runs, 2, 'of five pieces')
  })

  it('cuts the reply to what the context has left', async () => {
    const narrow = await small(50)
    const { end } = await reply({ maxTokens: 64 }, narrow)
    assert.deepEqual([end.reason, end.completionTokens], ['length', 7])
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
