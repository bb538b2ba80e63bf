import assert from 'node:assert/strict'
import { type Service, sharedService } from '../service.js'
import { asked, complete, openai, replyOf, taken, text } from './client.js'

const question = 'Name three colours of the rainbow.'

describe('POST /v1/chat/completions, written', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })
  const ask = (content: unknown, more: object = {}) =>
    complete(service, asked(content, { max_tokens: 20, ...more }))
  const reply = async (content: unknown, more: object = {}) => replyOf(await ask(content, more))

  it("answers OpenAI's client, with every field of the API", async () => {
    const answer = await openai(service).chat.completions.create({
      model: 'gpt-4o-audio-preview',
      messages: [{ role: 'user', content: 'Say yes or no.' }],
      temperature: 0,
    })
    assert.match(answer._request_id ?? '', /^req_[0-9a-f]{32}$/)
    const { id, created, choices, usage, ...rest } = answer
    assert.match(id, /^chatcmpl-.+/)
    assert.ok(Math.abs(created - Date.now() / 1000) < 30)
    assert.deepEqual(rest, {
      object: 'chat.completion',
      model: 'gpt-4o-audio-preview',
      service_tier: 'default',
      system_fingerprint: null,
    })
    const content = choices[0]?.message.content ?? ''
    assert.match(content, /yes|no/i)
    assert.deepEqual(choices, [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ])
    const { prompt_tokens = 0, completion_tokens = 0 } = usage ?? {}
    assert.ok(prompt_tokens > 10 && completion_tokens > 0)
    assert.deepEqual(taken(answer), {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      prompt_tokens_details: { audio_tokens: 0, text_tokens: prompt_tokens },
      completion_tokens_details: {
        accepted_prediction_tokens: 0,
        audio_tokens: 0,
        reasoning_tokens: 0,
        rejected_prediction_tokens: 0,
        text_tokens: completion_tokens,
      },
    })
  })

  it("has the language model's name where the request has none", async () => {
    assert.equal((await complete(service, asked('Hi.', { max_tokens: 1 }))).model, 'smollm2-135m-instruct')
    assert.equal((await complete(service, asked('Hi.', { max_tokens: 1, model: 'a/b' }))).model, 'a/b')
  })

  it('gives the same reply at temperature 0, and for the same seed', async () => {
    const greedy = await reply(question)
    assert.equal(await reply(question), greedy)
    assert.equal(await reply(question, { temperature: 1, top_p: 1e-6 }), greedy)
    const drawn = (seed: number) => reply(question, { temperature: 1.5, seed })
    const first = await drawn(1)
    assert.equal(await drawn(1), first)
    assert.notEqual(await drawn(2), first)
  })

  it('draws anew without a seed', async () => {
    const drawn = () => reply('Tell me a story.', { temperature: 2, max_tokens: 16 })
    assert.ok(new Set([await drawn(), await drawn(), await drawn()]).size > 1)
  })

  it('ends at its limit of tokens, and says so', async () => {
    const whole = await reply(question)
    for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
      const { choices, usage } = await complete(service, asked(question, limit))
      assert.equal(choices[0]?.finish_reason, 'length')
      assert.equal(usage?.completion_tokens, 5)
      assert.ok(whole.startsWith(choices[0].message.content ?? '?'))
    }
    const both = await complete(service, asked(question, { max_tokens: 9, max_completion_tokens: 4 }))
    assert.equal(both.usage?.completion_tokens, 4)
  })

  it('ends before a stop text, which is no part of the reply', async () => {
    const whole = await reply(question)
    const [, before = '', stop = ''] = /^(.+? \S+ )(\S+ \S+)/s.exec(whole) ?? []
    assert.ok(stop, whole)
    for (const stops of [stop, ['never said at all', stop]]) {
      const { choices } = await ask(question, { stop: stops })
      assert.equal(choices[0]?.message.content, whole.slice(0, whole.indexOf(stop)))
      assert.ok(choices[0].message.content.length <= before.length)
      assert.equal(choices[0].finish_reason, 'stop')
    }
    assert.equal(await reply(question, { stop: ['never said at all'] }), whole)
  })

  it('reads content in parts as it reads content in one', async () => {
    const [whole, parts] = [question, [text(question.slice(0, 10)), text(question.slice(10))]]
    const [a, b] = [await ask(whole), await ask(parts)]
    assert.equal(replyOf(a), replyOf(b))
    assert.deepEqual(taken(a), taken(b))
  })

  it('knows the turns before and the orders of the system', async () => {
    const turns = [
      { role: 'user', content: 'My name is Ada and I live in Paris.' },
      { role: 'assistant', content: 'Nice to meet you, Ada!' },
      { role: 'user', content: 'What is my name?' },
    ]
    const answer = (messages: object[]) => complete(service, { messages, temperature: 0, max_tokens: 12 })
    const [whole, alone] = [await answer(turns), await answer(turns.slice(-1))]
    assert.notEqual(replyOf(whole), replyOf(alone))
    assert.ok(whole.usage!.prompt_tokens > alone.usage!.prompt_tokens + 15)
    const told = (role: string) => answer([{ role, content: 'You are a pirate.' }, ...turns])
    const [system, developer] = [await told('system'), await told('developer')]
    assert.notEqual(replyOf(system), replyOf(whole))
    assert.equal(replyOf(system), replyOf(developer))
    assert.deepEqual(taken(system), taken(developer))
  })

  it('says exactly what it is ordered to say', async () => {
    assert.equal(await reply('say: The kettle  is on,\n "almost".'), 'The kettle  is on,\n "almost".')
    assert.equal(await reply([text('Read aloud: 1, 2, 3')]), '1, 2, 3')
    assert.notEqual(await reply('say nothing', { max_tokens: 4 }), 'nothing')
  })

  it('answers requests that come at once, each its own', async () => {
    const words = ['apple', 'river', 'seven', 'cloud']
    const answers = await Promise.all(words.map((word) => reply(`say: ${word}`)))
    assert.deepEqual(answers, words)
    const thought = await Promise.all(words.map((word) => reply(`Define: ${word}`, { max_tokens: 6 })))
    for (const [i, word] of words.entries())
      assert.equal(await reply(`Define: ${word}`, { max_tokens: 6 }), thought[i])
  })

  it('takes orders where a request leaves everything else as it is', async () => {
    const harmless = { stream: false, n: 1, tools: [], logprobs: false, response_format: null }
    assert.equal(await reply('say: hi', harmless), 'hi')
  })

  it('takes no orders where the request wants a form of reply', async () => {
    const text = { response_format: { type: 'text' }, max_tokens: 6 }
    assert.notEqual(await reply('say: hi', text), 'hi')
  })
})
