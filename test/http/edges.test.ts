/** What every answer has, and a service with CORS, strict names and a rate limit. */
import assert from 'node:assert/strict'
import { OpenAI } from 'openai'
import { Service, sharedService } from '../service.js'
import { asked, chatPath, openai, post, send } from './client.js'

describe('every answer', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  it('tells its time and version', async () => {
    for (const answer of [
      await send(service, '/health'),
      await post(service, {}),
      await send(service, '/none'),
    ]) {
      assert.match(answer.headers.get('openai-processing-ms')!, /^\d+$/)
      assert.equal(answer.headers.get('openai-version'), '2020-10-01')
      for (const name of ['x-ratelimit-limit-requests', 'access-control-allow-origin', 'x-powered-by'])
        assert.equal(answer.headers.get(name), null)
    }
  })

  it('has a head alone for HEAD, and what is allowed for OPTIONS', async () => {
    const head = await fetch(`${service.url}/v1/models`, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(await head.text(), '')
    const options = await fetch(service.url + chatPath, { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'POST, OPTIONS'])
  })

  it('refuses a body that is nested without end', async () => {
    const { status, error } = await send(service, chatPath, '['.repeat(20_000_000))
    assert.deepEqual([status, error.code], [400, 'invalid_json'])
    assert.match(error.message, /deeper than 100 levels/)
  })
})

describe('a service with CORS, strict names and a rate limit', () => {
  const key = 'sk-edges'
  const origin = 'https://example.org'
  let service: Service
  before(async () => {
    service = await Service.start({
      ADMIN_PORT: '',
      API_KEY: key,
      CORS_ORIGINS: `${origin}, http://localhost:3000`,
      REQUESTS_PER_MINUTE: '6',
      STRICT_MODELS: 'on',
    })
  })
  after(() => service?.stop())

  it('lets the pages of its list ask, before they have a key', async () => {
    const preflight = await fetch(service.url + chatPath, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, x-stainless-lang',
      },
    })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin)
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'authorization, x-stainless-lang')
    assert.match(preflight.headers.get('access-control-allow-methods')!, /POST/)
    const ours = await send(service, '/health', undefined, { headers: { origin } })
    assert.equal(ours.headers.get('access-control-allow-origin'), origin)
    assert.match(ours.headers.get('access-control-expose-headers')!, /x-request-id/)
    const other = await send(service, '/health', undefined, { headers: { origin: 'https://example.com' } })
    assert.equal(other.headers.get('access-control-allow-origin'), null)
    assert.match(other.headers.get('vary')!, /origin/)
  })

  it('counts requests, takes only its own names, and says when to come again', async () => {
    const headers = { authorization: `Bearer ${key}` }
    const first = await post(service, asked('say: a', { model: 'smollm2-135m-instruct' }), { headers })
    assert.equal(first.status, 200)
    assert.equal(first.headers.get('x-ratelimit-limit-requests'), '6')
    assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '5')
    assert.match(first.headers.get('x-ratelimit-reset-requests')!, /^\d+(\.\d)?s$/)
    await assert.rejects(openai(service, key).models.retrieve('gpt-4o'), OpenAI.NotFoundError)
    const other = await post(service, asked('say: a', { model: 'gpt-4o' }), { headers })
    assert.deepEqual([other.status, other.error.code, other.error.param], [404, 'model_not_found', 'model'])
    let last = other
    for (let i = 0; i < 4; i++) last = await send(service, '/v1/models', undefined, { headers })
    assert.deepEqual([last.status, last.error.code], [429, 'rate_limit_exceeded'])
    assert.ok(Number(last.headers.get('retry-after')) >= 1)
    assert.match(last.error.message, /6 requests per minute \(REQUESTS_PER_MINUTE\)/)
    assert.equal((await send(service, '/health')).status, 200)
  })
})
