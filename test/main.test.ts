import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configHelp } from '#src/config.js'
import { filesIn, readManifest } from '#src/runtime/store.js'
import { AdminClient } from './admin/client.js'
import { asked, post } from './http/client.js'
import { type Environment, engines, Service, ServiceProcess } from './service.js'

const story = asked('Tell me a long story about a river.', { max_tokens: 50 })

async function listenAnywhere(): Promise<{ server: Server; port: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: String((server.address() as AddressInfo).port) }
}

/** Resolves while the models are being loaded: Linux tells by the library that does it. */
async function loading({ pid }: ServiceProcess): Promise<void> {
  const maps = `/proc/${pid}/maps`
  do await sleep(100)
  while (
    existsSync(maps) ? !readFileSync(maps, 'utf8').includes('libonnxruntime') : process.platform === 'linux'
  )
}

/** Ends with code 1 and one line, which is returned. */
async function failure(environment: Environment): Promise<string> {
  const service = new ServiceProcess(environment)
  const { code } = await service.ended
  assert.equal(code, 1, service.stderr)
  assert.match(service.stderr, /^[^\n]+\n$/)
  assert.equal(service.stdout, '')
  return service.stderr.trimEnd()
}

/** Where it listens, what it loaded, and what to try. */
function checkGreeting({ stderr, port }: Service): void {
  for (const name of ['whisper-base (whisper, ', 'smollm2-135m-instruct (llama, ', 'kokoro-82m (kokoro, ']) {
    const line = stderr.split('\n').find((text) => text.startsWith(name))
    assert.match(line ?? stderr, /, \d+ M parameters, \d+ MB\) loaded in \d+\.\d s$/)
  }
  assert.ok(stderr.includes(`curl -s http://127.0.0.1:${port}/v1/chat/completions `), stderr)
}

describe('main', () => {
  it('prints its settings for --help, and serves nothing', async () => {
    for (const option of ['--help', '-h']) {
      const help = new ServiceProcess({ PORT: 'nonsense' }, [option])
      assert.equal((await help.ended).code, 0)
      assert.equal(help.stdout, `${configHelp()}\n`)
      assert.equal(help.stderr, '')
    }
  })

  describe('refuses to start, in one sentence', () => {
    let folder: string
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'main-'))
    })
    after(() => rmSync(folder, { recursive: true }))

    /** A folder of engines like the real one, by links. */
    function linkedEngines(name: string): string {
      const copy = join(folder, name)
      for (const file of filesIn(join(engines, 'onnxruntime'))) {
        const target = join(copy, 'onnxruntime', file)
        mkdirSync(dirname(target), { recursive: true })
        try {
          linkSync(join(engines, 'onnxruntime', file), target)
        } catch {
          copyFileSync(join(engines, 'onnxruntime', file), target)
        }
      }
      return copy
    }

    it('with impossible settings: all of them', async () => {
      const said = await failure({ PORT: '-1', THREADS: 'many', KV_MEMORY: '1KB', INTENTS: 'maybe' })
      for (const name of ['PORT', 'THREADS', 'KV_MEMORY', 'INTENTS'])
        assert.ok(said.includes(`${name} must be`), said)
    })

    it('on a port that is taken, or an admin port that is', async () => {
      const { server, port } = await listenAnywhere()
      assert.match(
        await failure({ PORT: port }),
        new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use: .*PORT\\.$`),
      )
      assert.match(
        await failure({ ADMIN_PORT: port }),
        new RegExp(`^The admin port ${port} .* set ADMIN_PORT\\.$`),
      )
      server.close()
    })

    it('without engines, naming the command that builds them', async () => {
      const said = await failure({ ENGINES: join(folder, 'nowhere') })
      assert.match(
        said,
        /^There is no \w+ engine in .*nowhere.*, to be made from .* in \S+checkpoints: run `npm run build-engines` [^:]*\.$/,
      )
    })

    it('with an engine of which a byte has changed, naming the file', async () => {
      const copy = linkedEngines('flipped')
      const { files } = readManifest(join(copy, 'onnxruntime', 'kokoro-82m'))
      const [name] = Object.entries(files).sort(([, a], [, b]) => b.size - a.size)[0]!
      const path = join(copy, 'onnxruntime', 'kokoro-82m', name)
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1]! ^= 1
      rmSync(path)
      writeFileSync(path, bytes)
      const said = await failure({ ENGINES: copy })
      assert.ok(said.startsWith(`${path} has another SHA-256`), said)
      assert.match(said, /npm run build-engines/)
    })

    it('with a choice of engines that is none, or none made', async () => {
      assert.match(
        await failure({ TTS_MODEL: 'parrot' }),
        /^TTS_MODEL is "parrot", but .* has no such kokoro engine \(it has kokoro-82m\): /,
      )
      const copy = linkedEngines('several')
      const manifest = readManifest(join(copy, 'onnxruntime', 'whisper-base'))
      mkdirSync(join(copy, 'onnxruntime', 'whisper-other'))
      writeFileSync(join(copy, 'onnxruntime', 'whisper-other', 'manifest.json'), JSON.stringify(manifest))
      assert.match(
        await failure({ ENGINES: copy }),
        /^There are several whisper engines .* \(whisper-base, whisper-other\): choose one with STT_MODEL\.$/,
      )
    })
  })

  it('ends at once at a signal before it serves', async () => {
    const service = new ServiceProcess()
    await loading(service)
    const begun = performance.now()
    service.kill('SIGTERM')
    assert.equal((await service.ended).code, 0)
    assert.ok(performance.now() - begun < 1000, `${performance.now() - begun} ms`)
    assert.equal(service.stderr, '')
  })

  for (const [what, signals] of [
    ['SIGTERM', ['SIGTERM']],
    ['SIGTERM twice, as a process group gets it', ['SIGTERM', 'SIGTERM']],
    ['SIGINT twice', ['SIGINT', 'SIGINT']],
  ] as [string, NodeJS.Signals[]][])
    it(`lets a running request finish at ${what}, then ends with 0 and frees its ports`, async () => {
      const service = await Service.start()
      checkGreeting(service)
      const admin = new AdminClient(service.adminPort)
      const answer = post(service, story)
      while ((await admin.info()).requests === 0);
      for (const signal of signals) service.kill(signal)
      const draining = await service.logged(({ msg }) => msg === 'draining')
      assert.deepEqual([draining.signal, draining.requests], [signals[0], 1])
      assert.equal(await admin.health(''), 'NOT_SERVING')
      await assert.rejects(fetch(`${service.url}/health`), /fetch failed/)
      const { status, completion } = await answer
      assert.equal(status, 200)
      assert.equal(completion.usage?.completion_tokens, 50)
      assert.deepEqual(await service.ended, { code: 0, signal: null })
      assert.deepEqual(
        service.logs.map(({ msg }) => msg),
        ['draining', 'request', 'stopped'],
      )
      for (const port of [service.port, service.adminPort]) {
        const server = createServer()
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject).listen(port, '127.0.0.1', resolve)
        })
        server.close()
      }
      admin.close()
    })
})
