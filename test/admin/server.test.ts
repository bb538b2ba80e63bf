import assert from 'node:assert/strict'
import { type AdminServer, startAdmin } from '#src/admin/server.js'
import { Admission } from '#src/assistant/admission.js'
import type { ServiceInfo } from '#src/assistant/info.js'
import { SetupError } from '#src/errors.js'
import { AdminClient } from './client.js'

describe('admin/server', () => {
  const admission = new Admission(1, 5)
  const model = {
    name: 'm',
    family: 'llama',
    parameters: 5e9,
    bytes: 6e9,
    loadSeconds: 1.5,
    parallel: 8,
    facts: { contextTokens: 8192, stateBytes: 6e9 },
  } as const
  const told = {
    version: '1.2.3',
    runtime: 'onnxruntime',
    models: [model],
    readyAt: performance.now() - 61_000,
  }
  let server: AdminServer
  let client: AdminClient
  let info: ServiceInfo

  before(async () => {
    info = { ...told, readyAt: performance.now() - 61_000 }
    server = await startAdmin(0, info, admission)
    client = new AdminClient(server.port)
  })
  after(() => {
    client.close()
    server.stop()
  })

  it('tells what runs, in numbers beyond 32 bits where they are', async () => {
    using _place = admission.enter()
    const { uptimeSeconds, ...rest } = await client.info()
    assert.ok(Number(uptimeSeconds) >= 61 && Number(uptimeSeconds) < 120, `${uptimeSeconds} s`)
    assert.deepEqual(rest, {
      version: '1.2.3',
      runtime: 'onnxruntime',
      models: [
        {
          name: 'm',
          family: 'llama',
          parameters: 5e9,
          engineBytes: 6e9,
          loadSeconds: 1.5,
          parallel: 8,
          contextTokens: 8192,
          kvBytes: 6e9,
        },
      ],
      requests: 1,
    })
    assert.equal((await client.info()).requests, 1)
  })

  it('has health for the server and its service, and NOT_FOUND for others', async () => {
    assert.equal(await client.health(''), 'SERVING')
    assert.equal(await client.health('simpleaudio.admin.v1.AdminService'), 'SERVING')
    await assert.rejects(client.health('nobody'), /NOT_FOUND/)
  })

  it('reflects its services, in both versions of the protocol', async () => {
    for (const version of ['v1', 'v1alpha'] as const) {
      const services = await client.reflectedServices(version)
      for (const name of ['grpc.health.v1.Health', 'simpleaudio.admin.v1.AdminService'])
        assert.ok(services.includes(name), `${version}: ${services}`)
    }
  })

  it('refuses a port that is taken, in one sentence', async () => {
    await assert.rejects(
      startAdmin(server.port, info, admission),
      (error: unknown) =>
        error instanceof SetupError &&
        /^The admin port \d+ on 127\.0\.0\.1 [^\n]* set ADMIN_PORT\.$/.test(error.message),
    )
  })

  it('is not serving while it drains, and still answers', async () => {
    server.drain()
    assert.equal(await client.health(''), 'NOT_SERVING')
    assert.equal(await client.health('simpleaudio.admin.v1.AdminService'), 'NOT_SERVING')
    assert.equal((await client.info()).version, '1.2.3')
  })
})
