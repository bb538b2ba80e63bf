import assert from 'node:assert/strict'
import type { Router } from 'express'
import { pino } from 'pino'
import { Admission } from '#src/assistant/admission.js'
import type { Models } from '#src/assistant/registry.js'
import { createApp } from '#src/http/app.js'
import { description } from '#src/http/openapi.js'
import { type Service, sharedService } from '../service.js'
import { asked, post, send, spoken } from './client.js'
import { check, type Description, described, type Exchange, exchangesChecked } from './openapi-check.js'

describe('GET /openapi.json', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  it('describes the service, without a key', async () => {
    const { status, text } = await send(service, '/openapi.json')
    assert.equal(status, 200)
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(description('0.1.0'))))
    assert.equal((JSON.parse(text) as Description).openapi, '3.1.0')
  })

  it('describes every path and method that there is, and no other', () => {
    const info = { name: 'any', facts: { voices: [], sampleRate: 24_000 } }
    const app = createApp({
      models: { whisper: { info }, llama: { info }, kokoro: { info } } as unknown as Models,
      admission: new Admission(1, 0),
      logger: pino({ level: 'silent' }),
      info: { version: '1', runtime: 'none', models: [], readyAt: 0 },
      limits: {
        maxAudioSeconds: 1,
        maxBody: 1,
        maxReplyTokens: 1,
        maxSpokenTokens: 1,
        maxSpeechCharacters: 1,
        intents: true,
      },
      apiKey: null,
      corsOrigins: [],
      requestsPerMinute: null,
      strictModels: false,
    })
    const routes = (app.router as unknown as Router).stack.flatMap(({ route }) =>
      !route || Array.isArray(route.path)
        ? []
        : route.stack
            .filter(({ method }) => method !== undefined)
            .map(({ method }) => `${method} ${route.path.replace(/\*(\w+)/, '{$1}')}`),
    )
    const told = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    assert.deepEqual([...new Set(routes)].sort(), told.sort())
  })

  it('refers to nothing that is not there, and names each operation once', () => {
    const json = JSON.stringify(described)
    const names = [...json.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)]
    assert.ok(names.length > 30, `${names.length} references`)
    for (const [reference, part, name] of names)
      assert.ok(name! in described.components[part as 'schemas'], reference)
    const ids = [...json.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.doesNotMatch(json, /nullable|discriminator/)
  })

  it('is held against what the tests send and get', async () => {
    const before = await exchangesChecked()
    await post(service, asked('say: hi'))
    await post(service, asked('say: hi', { ...spoken, temperature: 7 }))
    assert.equal(await exchangesChecked(), before + 2)
  })

  const completed: Exchange = {
    method: 'POST',
    path: '/v1/chat/completions',
    sent: asked('Hi.'),
    status: 200,
    type: 'text/event-stream',
    text: '',
  }
  const chunk = {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'any',
    choices: [{ index: 0, delta: { content: 'Hi' }, logprobs: null, finish_reason: null }],
    service_tier: 'default',
    system_fingerprint: null,
  }
  const event = (...data: object[]) => data.map((json) => `data: ${JSON.stringify(json)}\n\n`).join('')

  it('takes what is true', () => {
    check({
      ...completed,
      text: `: still at work\n\n${event(chunk, { ...chunk, choices: [] })}data: [DONE]\n\n`,
    })
  })

  for (const [what, untrue] of [
    ['a request that should have been refused', { sent: asked('Hi.', { temperature: 3 }) }],
    ['a request without messages', { sent: {} }],
    ['a status', { status: 201 }],
    ['a media type', { type: 'text/html' }],
    ['a path', { path: '/v1/other' }],
    ['a field', { text: event({ ...chunk, more: 1 }) }],
    ['a reason', { text: event({ ...chunk, choices: [{ ...chunk.choices[0], finish_reason: 'bored' }] }) }],
    ['a later event', { text: event(chunk, {}) }],
    ['an answer', { type: 'application/json', text: '{"id":"chatcmpl-1"}' }],
    ['a failure', { status: 400, type: 'application/json', text: '{"error":{"message":"No."}}' }],
    [
      'a code',
      {
        status: 400,
        type: 'application/json',
        text: '{"error":{"message":"No.","type":"server_error","param":null,"code":"odd"}}',
      },
    ],
  ] as [string, Partial<Exchange>][])
    it(`finds out ${what} that is not described`, () => {
      assert.throws(() => check({ ...completed, text: event(chunk), ...untrue }), assert.AssertionError)
    })
})
