import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import express, { type Response } from 'express'
import { pino } from 'pino'
import { ServiceError } from '#src/errors.js'
import { errorHandler } from '#src/http/errors.js'
import { sendEvents } from '#src/http/event-stream.js'
import { requestSignal } from '#src/http/request.js'
import { HttpServer } from '#src/http/server.js'

const host = '127.0.0.1'
const logger = pino({ level: 'silent' })

/** A server that answers with these events; `use` sees the response that it gives. */
async function serve(
  events: (signal: AbortSignal) => AsyncIterable<object>,
  { keepAliveMs, stalledMs }: { keepAliveMs?: number; stalledMs?: number } = {},
) {
  const app = express()
  const seen: { response?: Response } = {}
  app.get('/', async (_request, response) => {
    seen.response = response
    const signal = requestSignal(response)
    await sendEvents(response, events(signal), signal, keepAliveMs ? { keepAliveMs } : {})
  })
  app.use(errorHandler(logger))
  const server = await HttpServer.listen(app, host, 0, logger, stalledMs)
  const ask = async () => {
    const request = get({ host, port: server.port })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { request, response }
  }
  return { server, seen, ask }
}

describe('http/event-stream', () => {
  it('sends events, then says that it is done', async () => {
    const { server, ask } = await serve(async function* () {
      yield { a: 1 }
      yield { b: 'two\nlines' }
    })
    const { response } = await ask()
    assert.match(response.headers['content-type']!, /^text\/event-stream/)
    assert.equal(response.headers['x-accel-buffering'], 'no')
    assert.equal(response.headers['cache-control'], 'no-cache')
    assert.equal(await text(response), 'data: {"a":1}\n\ndata: {"b":"two\\nlines"}\n\ndata: [DONE]\n\n')
    await server.drain()
  })

  it('comments on long waits, also before the first event', async () => {
    const { server, ask } = await serve(
      async function* () {
        await delay(70)
        yield { a: 1 }
        await delay(70)
      },
      { keepAliveMs: 20 },
    )
    const { response } = await ask()
    assert.match(await text(response), /^(: .+\n\n)+data: {"a":1}\n\n(: .+\n\n)+data: \[DONE\]\n\n$/)
    await server.drain()
  })

  it('answers what fails before the first event with a status of its own', async () => {
    const refuse = (): object => {
      throw new ServiceError('invalid_value', 'no good', 'messages')
    }
    const { server, ask } = await serve(async function* () {
      yield refuse()
    })
    const { response } = await ask()
    assert.equal(response.statusCode, 400)
    assert.match(await text(response), /^{"error":/)
    await server.drain()
  })

  it('sends what fails later as an event, and does not say that it is done', async () => {
    const { server, ask } = await serve(async function* () {
      yield { a: 1 }
      throw new ServiceError('shutting_down', 'no more')
    })
    const { response } = await ask()
    const error = { message: 'no more', type: 'server_error', param: null, code: 'shutting_down' }
    assert.equal(await text(response), `data: {"a":1}\n\ndata: ${JSON.stringify({ error })}\n\n`)
    await server.drain()
  })

  it('stops making events for a reader that takes none, and goes on when it does', async () => {
    let made = 0
    const count = 400
    const { server, seen, ask } = await serve(async function* () {
      for (; made < count; made++) yield { data: 'x'.repeat(100_000) }
    })
    const { response } = await ask()
    response.pause()
    let before = -1
    while (before !== made) {
      before = made
      await delay(100)
    }
    assert.ok(made < count, 'all 40 MB were made for a reader that reads nothing')
    assert.ok(seen.response!.writableLength < 1_000_000, `${seen.response!.writableLength} bytes wait`)
    const all = await text(response)
    assert.equal(made, count)
    assert.ok(all.endsWith('data: [DONE]\n\n'))
    await server.drain()
  })

  it('ends what is made for a client that is gone, or that takes nothing for too long', async () => {
    for (const leave of [true, false]) {
      let stopped: (reason: unknown) => void = () => {}
      const end = new Promise<unknown>((resolve) => (stopped = resolve))
      const { server, ask } = await serve(
        async function* (signal) {
          signal.addEventListener('abort', () => stopped(signal.reason))
          for (;;) yield { data: 'x'.repeat(100_000) }
        },
        { stalledMs: 200 },
      )
      const { request, response } = await ask()
      response.on('error', () => {})
      response.pause()
      if (leave) request.destroy()
      const reason = await end
      assert.ok(reason instanceof ServiceError && reason.code === 'request_cancelled')
      request.destroy()
      await server.drain()
    }
  })
})
