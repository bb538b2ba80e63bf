/** A service whose every limit is set low. */
import assert from 'node:assert/strict'
import { OpenAI } from 'openai'
import { wav } from '../audio/wav-bytes.js'
import { Service } from '../service.js'
import { asked, audioOf, clip, openai, post, replyOf, send, spoken, text } from './client.js'

const key = 'a-secret'
const headers = { authorization: `Bearer ${key}` }

describe('a service with limits', () => {
  let service: Service
  before(async () => {
    service = await Service.start({
      ADMIN_PORT: '',
      API_KEY: key,
      INTENTS: 'off',
      KV_MEMORY: '16MB',
      MAX_AUDIO_SECONDS: '5',
      MAX_BODY: '1MB',
      MAX_REPLY_TOKENS: '7',
      MAX_SPOKEN_TOKENS: '5',
      MAX_WAITING: '0',
    })
  })
  after(() => service?.stop())

  const ask = (content: unknown, more: object = {}) => post(service, asked(content, more), { headers })

  it('wants its key, and tells without which one it is', async () => {
    for (const [sent, says] of [
      [{}, /didn't provide an API key/],
      [{ authorization: 'Bearer ' }, /didn't provide an API key/],
      [{ authorization: `Basic ${key}` }, /didn't provide an API key/],
      [{ authorization: `Bearer ${key}2` }, /Incorrect API key/],
    ] as [Record<string, string>, RegExp][]) {
      const { status, error } = await post(service, asked('Hi.'), { headers: sent })
      assert.deepEqual([status, error.code, error.type], [401, 'invalid_api_key', 'invalid_request_error'])
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, new RegExp(key))
    }
    const messages = [{ role: 'user' as const, content: 'Hi.' }]
    const create = (client: OpenAI) => client.chat.completions.create({ model: 'any', messages })
    await assert.rejects(create(openai(service, 'wrong')), OpenAI.AuthenticationError)
    assert.equal((await create(openai(service, key))).object, 'chat.completion')
    assert.equal((await send(service, '/health')).status, 200, 'probes have no key')
    assert.ok(!service.stdout.includes(key) && !service.stderr.includes(key), 'the key is never written')
  })

  it('has no admin server unless asked for one', () => {
    assert.doesNotMatch(service.stderr, /gRPC/)
    assert.ok(Number.isNaN(service.adminPort))
  })

  it('bounds replies that set no limit, and spoken ones more', async () => {
    const written = await ask('Tell me a long story.')
    assert.equal(written.completion.usage?.completion_tokens, 7)
    assert.equal(written.completion.choices[0]?.finish_reason, 'length')
    const { completion } = await ask('Tell me a long story.', spoken)
    assert.equal(completion.usage?.completion_tokens, 5)
    assert.equal(completion.choices[0]?.finish_reason, 'length')
    assert.ok(audioOf(completion).bytes.length > 44)
    assert.equal((await ask('Tell me a story.', { max_tokens: 9 })).completion.usage?.completion_tokens, 9)
  })

  it('gives no heed to orders where intents are off', async () => {
    const { completion } = await ask('say: bananas are blue')
    assert.notEqual(replyOf(completion), 'bananas are blue')
    assert.ok(completion.usage!.prompt_tokens > 0)
    const heard = await ask([text('transcribe'), clip('spk1_snt4.wav')])
    const { prompt_tokens, prompt_tokens_details } = heard.completion.usage!
    assert.ok(prompt_tokens > prompt_tokens_details!.audio_tokens! + 10, 'the language model read it')
  })

  it('refuses longer recordings and larger bodies, naming the limits', async () => {
    const long = await ask([clip('jfk.wav')])
    assert.deepEqual([long.status, long.error.code], [413, 'request_too_large'])
    assert.match(long.error.message, /1048576 bytes/)
    const data = Buffer.alloc(16_000 * 2 * 6)
    const slow = await ask([
      { type: 'input_audio', input_audio: { data: wav(data).toString('base64'), format: 'wav' } },
    ])
    assert.deepEqual([slow.status, slow.error.code], [413, 'audio_too_long'])
    assert.match(slow.error.message, /6 s long; the limit is 5 s/)
  })

  it('refuses longer conversations than its memory holds, naming how long they may be', async () => {
    const { status, error } = await ask('word '.repeat(500))
    assert.deepEqual([status, error.code, error.param], [400, 'context_length_exceeded', 'messages'])
    assert.match(error.message, /\b5\d\d tokens\b.*\b364\b/)
  })

  it('refuses at once what may not wait, and says when to come again', async () => {
    const more = { max_tokens: 60 }
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask('Tell me a story.', more)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 429, 429, 429])
    for (const { status, headers: given, error } of answers) {
      if (status === 200) continue
      assert.equal(given.get('retry-after'), '1')
      assert.deepEqual([error.type, error.code], ['rate_limit_error', 'overloaded'])
      assert.match(error.message, /MAX_WAITING/)
    }
    assert.equal((await ask('Hi.')).status, 200)
  })

  it('is free again as soon as a client goes away', async () => {
    for (const [what, body] of [
      ['thinking', asked('Write a very long story about a river.', { max_tokens: 4000, temperature: 1 })],
      [
        'hearing',
        asked([{ type: 'text', text: 'Hm?' }, clip('spk1_snt1.wav')], { max_tokens: 4000, temperature: 1 }),
      ],
    ] as const) {
      const controller = new AbortController()
      const left = assert.rejects(post(service, body, { headers, signal: controller.signal }), {
        name: 'AbortError',
      })
      while ((await ask('Hi.', { max_tokens: 1 })).status !== 429);
      controller.abort()
      await left
      const begun = performance.now()
      while ((await ask('Hi.', { max_tokens: 1 })).status !== 200);
      assert.ok(performance.now() - begun < 1500, `${what}: ${performance.now() - begun} ms`)
    }
    const cancelled = service.logs.filter(({ status, msg }) => status === 499 && msg === 'request')
    assert.equal(cancelled.length, 2)
  })

  it('lets OpenAI’s client succeed by trying again', async () => {
    const client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: key, maxRetries: 3 })
    const create = () =>
      client.chat.completions.create({
        model: 'any',
        max_tokens: 20,
        messages: [{ role: 'user', content: 'Hi.' }],
      })
    const [a, b] = await Promise.all([create(), create()])
    assert.deepEqual([a.object, b.object], ['chat.completion', 'chat.completion'])
  })
})
