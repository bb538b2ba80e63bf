import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import express, { type Express } from 'express'
import { pino } from 'pino'
import { SetupError } from '#src/errors.js'
import { HttpServer } from '#src/http/server.js'

const host = '127.0.0.1'
const logger = pino({ level: 'silent' })
const listen = (app: Express, port = 0, at = host) => HttpServer.listen(app, at, port, logger)

/** A connection that says `words` and then nothing more. */
async function silent(port: number, words = ''): Promise<Socket> {
  const socket = connect(port, host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (words) socket.write(words)
  return socket
}

async function within(ms: number, work: Promise<unknown>, what: string): Promise<void> {
  const begun = performance.now()
  await work
  const took = Math.round(performance.now() - begun)
  assert.ok(took < ms, `${what}: ${took} ms`)
}

describe('http/server', () => {
  it('refuses an address that it can not have, in one sentence', async () => {
    const first = await listen(express())
    const { port } = first
    const failure = (message: RegExp) => (error: unknown) =>
      error instanceof SetupError && message.test(error.message) && !error.message.includes('\n')
    await assert.rejects(
      listen(express(), port),
      failure(new RegExp(`^Port ${port} on ${host} is in use: .* set PORT\\.$`)),
    )
    await assert.rejects(
      listen(express(), port, '192.0.2.1'),
      failure(/^192\.0\.2\.1 is no address .* set HOST\.$/),
    )
    await first.drain()
  })

  it('drains: running requests finish, kept connections close, the port is free', async () => {
    const app = express()
    let finish = () => {}
    const entered = new Promise<void>((resolve) => {
      app.get('/slow', (_request, response) => {
        finish = () => response.send('done')
        resolve()
      })
    })
    app.get('/fast', (_request, response) => {
      response.send('done')
    })
    const server = await listen(app)
    const { port } = server
    const agent = new Agent({ keepAlive: true })
    const ask = async (path: string): Promise<IncomingMessage> => {
      const [response] = (await once(get({ host, port, path, agent }), 'response')) as [IncomingMessage]
      return response.resume()
    }
    await once(await ask('/fast'), 'end')
    const slow = ask('/slow')
    await entered
    let drained = false
    const draining = server.drain().then(() => {
      drained = true
    })
    await assert.rejects(once(get({ host, port, path: '/fast' }), 'response'), /ECONNREFUSED/)
    assert.equal(drained, false)
    finish()
    const response = await slow
    assert.equal(response.statusCode, 200)
    assert.equal(response.headers.connection, 'close')
    await within(1000, draining, 'it waited for a connection that is kept and idle')
    await (await listen(express(), port)).drain()
    agent.destroy()
  })

  it('drains at once past connections that say nothing, or not yet a whole request', async () => {
    const server = await listen(express())
    const sockets = [await silent(server.port), await silent(server.port, 'GET /x HTTP/1.1\r\nhos')]
    await new Promise((resolve) => setTimeout(resolve, 50))
    await within(1000, server.drain(), 'it waited for silent connections')
    for (const socket of sockets) socket.destroy()
  })

  it('drains within seconds past a body that does not come', async () => {
    const app = express()
    app.set('env', 'test') // or Express would print the error
    app.post('/', express.json())
    const server = await listen(app)
    const head =
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"a"'
    const socket = await silent(server.port, head)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await within(7000, server.drain(), 'it waited for half a body')
    socket.destroy()
  }).timeout(10_000)

  it('drains without cutting an answer that its reader takes slowly', async () => {
    const size = 12_000_000
    const app = express()
    const answered = new Promise<void>((resolve) => {
      app.get('/', (_request, response) => {
        response.end(Buffer.alloc(size))
        resolve()
      })
    })
    const server = await listen(app)
    const asked = get({ host, port: server.port, path: '/' })
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    await answered
    const draining = server.drain()
    let received = 0
    for await (const chunk of response) {
      received += (chunk as Buffer).length
      if (received < 2_000_000) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.equal(received, size)
    await draining
  })

  for (const [what, sent, status, code] of [
    ['what is no HTTP', 'garbage\r\n\r\n', 400, 'malformed_request'],
    [
      'headers of 20 kB',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ] as const)
    it(`answers ${what} in OpenAI's shape, with an id`, async () => {
      const server = await listen(express())
      const socket = await silent(server.port, sent)
      let answer = ''
      for await (const chunk of socket) answer += chunk
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.match(answer, /\r\nx-request-id: req_[0-9a-f]{32}\r\n/)
      const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { error: Record<string, unknown> }
      assert.deepEqual(Object.keys(body.error), ['message', 'type', 'param', 'code'])
      assert.equal(body.error.code, code)
      await server.drain()
    })

  it('answers a client that expects what HTTP does not know', async () => {
    const app = express()
    app.get('/', (_request, response) => {
      response.send('here')
    })
    const server = await listen(app)
    const asked = get({ host, port: server.port, headers: { expect: 'miracles' } })
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    assert.equal(response.resume().statusCode, 200)
    await server.drain()
  })
})
