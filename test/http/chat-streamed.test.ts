import assert from 'node:assert/strict'
import type { OpenAI } from 'openai'
import { type Service, sharedService } from '../service.js'
import {
  asked,
  audioOf,
  type Completion,
  chatPath,
  clip,
  complete,
  openai,
  replyOf,
  spoken,
  taken,
  text,
} from './client.js'

interface AudioDelta {
  readonly id?: string
  readonly transcript?: string
  readonly data?: string
  readonly expires_at?: number
}
type Chunk = Omit<OpenAI.Chat.ChatCompletionChunk, 'choices'> & {
  readonly choices: {
    readonly index: number
    readonly finish_reason: string | null
    readonly delta: { role?: string; content?: string | null; audio?: AudioDelta }
  }[]
}

/** The events of a stream as they are on the wire; the last is `[DONE]`. */
async function wire(service: Service, body: object): Promise<Chunk[]> {
  const response = await fetch(service.url + chatPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
  })
  const sent = await response.text()
  assert.equal(response.status, 200, sent)
  assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
  assert.match(response.headers.get('x-request-id')!, /^req_/)
  // Comments come where the machine is so busy that the client would wait in silence.
  const events = sent.split('\n\n').filter((event) => !event.startsWith(': '))
  assert.equal(events.pop(), '')
  for (const event of events) assert.match(event, /^data: /)
  assert.equal(events.pop(), 'data: [DONE]')
  return events.map((event) => JSON.parse(event.slice(6)) as Chunk)
}

const story = 'Write a long story about a river.'
const sentences =
  'The library opens early in the morning. Please put the green umbrella next to the kitchen door. Yes. All is well.'

describe('POST /v1/chat/completions, streamed', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  it('sends the text in chunks: the role first, then pieces, then the reason', async () => {
    const chunks = await wire(service, asked(story, { max_tokens: 24, model: 'mine' }))
    const whole = await complete(service, asked(story, { max_tokens: 24, model: 'mine' }))
    const [first, ...rest] = chunks.map(({ choices }) => choices[0]!)
    const last = rest.pop()!
    assert.deepEqual(first, {
      index: 0,
      delta: { role: 'assistant', content: '', refusal: null },
      logprobs: null,
      finish_reason: null,
    })
    assert.deepEqual(last, { index: 0, delta: {}, logprobs: null, finish_reason: 'length' })
    assert.ok(rest.length > 10, `${rest.length} pieces`)
    for (const { delta, finish_reason } of rest) {
      assert.deepEqual(Object.keys(delta), ['content'])
      assert.equal(finish_reason, null)
    }
    assert.equal(rest.map(({ delta }) => delta.content).join(''), replyOf(whole))
    for (const { id, object, created, model, ...more } of chunks) {
      assert.deepEqual([id, object, model], [chunks[0]!.id, 'chat.completion.chunk', 'mine'])
      assert.ok(Math.abs(created - Date.now() / 1000) < 60)
      assert.ok(!('usage' in more))
    }
    assert.match(chunks[0]!.id, /^chatcmpl-/)
  })

  it('tells the usage last, where it is asked for', async () => {
    const body = asked('Hi.', { max_tokens: 6 })
    const chunks = await wire(service, { ...body, stream_options: { include_usage: true } })
    const last = chunks.pop()!
    assert.deepEqual(last.choices, [])
    assert.deepEqual(taken(last), taken(await complete(service, body)))
    for (const { usage } of chunks) assert.equal(usage, null)
  })

  it('sends sound among the words: each piece whole, the id and the expiry once', async () => {
    const chunks = await wire(service, asked(`say: ${sentences}`, spoken))
    const parts = chunks.map(({ choices }) => choices[0]!)
    assert.deepEqual(parts[0]!.delta, {
      role: 'assistant',
      content: null,
      refusal: null,
    })
    assert.deepEqual([parts.at(-1)!.delta, parts.at(-1)!.finish_reason], [{}, 'stop'])
    const deltas = parts.slice(1, -1).map(({ delta }) => delta.audio!)
    const data = deltas.flatMap((delta) => delta.data ?? [])
    for (const piece of data.slice(0, -1)) assert.equal(Buffer.from(piece, 'base64').length % 6, 0)
    const ids = deltas.flatMap((delta) => delta.id ?? [])
    const expiries = deltas.flatMap((delta) => delta.expires_at ?? [])
    assert.deepEqual([ids.length, expiries.length], [1, 1])
    assert.ok(expiries[0]! > Date.now() / 1000)
    const whole = audioOf(
      await complete(service, asked(`say: ${sentences}`, { ...spoken, audio: { format: 'pcm16' } })),
    )
    assert.equal(deltas.map(({ transcript = '' }) => transcript).join(''), whole.transcript)
    assert.equal(whole.transcript, sentences)
    assert.deepEqual(Buffer.from(data.join(''), 'base64'), whole.bytes)
    assert.equal(ids[0], whole.id)
  })

  it("is put together by OpenAI's client: text", async () => {
    const body = { model: 'any', messages: [{ role: 'user' as const, content: 'Hi.' }], max_tokens: 9 }
    const stream = openai(service).chat.completions.stream({ ...body, temperature: 0 })
    const pieces: string[] = []
    stream.on('content', (piece) => pieces.push(piece))
    const completion = await stream.finalChatCompletion()
    const whole = await complete(service, { ...body, temperature: 0 })
    assert.equal(replyOf(completion), replyOf(whole))
    assert.equal(pieces.join(''), replyOf(whole))
    assert.equal(completion.choices[0]!.finish_reason, whole.choices[0]!.finish_reason)
  })

  it("is put together by OpenAI's client: a spoken answer to a spoken question, and the answer to that", async () => {
    const messages = [{ role: 'user', content: [text('transcribe'), clip('spk1_snt4.wav')] }]
    const ask = (more: object) =>
      openai(service)
        .chat.completions.stream({
          model: 'any',
          messages: messages as OpenAI.Chat.ChatCompletionMessageParam[],
          modalities: ['text', 'audio'],
          audio: { voice: 'coral', format: 'pcm16' },
          stream_options: { include_usage: true },
          ...more,
        })
        .finalChatCompletion()
    const streamed = (await ask({})) as unknown as Completion
    const plain = await complete(service, {
      messages,
      ...spoken,
      audio: { voice: 'coral', format: 'pcm16' },
    })
    const [a, b] = [audioOf(streamed), audioOf(plain)]
    assert.deepEqual(a.bytes, b.bytes)
    assert.deepEqual([a.id, a.transcript], [b.id, b.transcript])
    assert.deepEqual(streamed.usage, plain.usage)
    assert.equal(streamed.choices[0]!.finish_reason, 'stop')
    messages.push({ role: 'assistant', audio: { id: a.id } } as never, {
      role: 'user',
      content: [text('say: It goes on.')],
    })
    assert.equal(audioOf((await ask({})) as unknown as Completion).transcript, 'It goes on.')
  })

  it('has an empty sound for a reply without anything to say', async () => {
    const stream = openai(service).chat.completions.stream({
      model: 'any',
      messages: [{ role: 'user', content: 'say:' }],
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'pcm16' },
    })
    const { transcript, data } = audioOf((await stream.finalChatCompletion()) as unknown as Completion)
    assert.deepEqual([transcript, data], ['', ''])
  })

  for (const [what, more] of [
    ['written', { max_tokens: 4000 }],
    ['spoken', { ...spoken, max_tokens: 4000 }],
  ] as const)
    it(`stops a ${what} stream that its client leaves`, async () => {
      const controller = new AbortController()
      const id = `left-${what}`
      const response = await fetch(service.url + chatPath, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify(asked(story, { ...more, stream: true })),
        signal: controller.signal,
      })
      const reader = response.body!.getReader()
      await reader.read()
      controller.abort()
      await reader.closed.catch(() => {})
      const begun = performance.now()
      assert.equal(replyOf(await complete(service, asked('say: I am free'))), 'I am free')
      await complete(service, asked('Hi.', { max_tokens: 1 }))
      await complete(service, asked('say: Well.', spoken))
      const seconds = (performance.now() - begun) / 1000
      assert.ok(seconds < 8, `the next answers took ${seconds} s`)
      const line = await service.logged((entry) => entry.id === id && entry.msg === 'request')
      assert.equal(line.status, 499)
    })
})
