import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import express from 'express'
import { SetupError } from '#src/errors.js'
import { drain, listen, portOf } from '#src/http/server.js'

const host = '127.0.0.1'

describe('http/server', () => {
  it('refuses an address that it can not have, in one sentence', async () => {
    const first = await listen(express(), host, 0)
    const port = portOf(first)
    const failure = (message: RegExp) => (error: unknown) =>
      error instanceof SetupError && message.test(error.message) && !error.message.includes('\n')
    await assert.rejects(
      listen(express(), host, port),
      failure(new RegExp(`^Port ${port} on ${host} is in use: .* set PORT\\.$`)),
    )
    await assert.rejects(
      listen(express(), '192.0.2.1', port),
      failure(/^192\.0\.2\.1 is no address .* set HOST\.$/),
    )
    await drain(first)
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
    const server = await listen(app, host, 0)
    const port = portOf(server)
    const agent = new Agent({ keepAlive: true })
    const ask = async (path: string): Promise<IncomingMessage> => {
      const [response] = (await once(get({ host, port, path, agent }), 'response')) as [IncomingMessage]
      return response.resume()
    }
    await once(await ask('/fast'), 'end')
    const slow = ask('/slow')
    await entered
    let drained = false
    const draining = drain(server).then(() => {
      drained = true
    })
    await assert.rejects(once(get({ host, port, path: '/fast' }), 'response'), /ECONNREFUSED/)
    assert.equal(drained, false)
    finish()
    const begun = performance.now()
    const response = await slow
    assert.equal(response.statusCode, 200)
    await draining
    assert.ok(performance.now() - begun < 2000, 'it waited for a connection that is kept and idle')
    await drain(await listen(express(), host, port))
    agent.destroy()
  })
})
