/** `npm run fetch-model` as operators run it, against a hub of this machine. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeHub, id } from '../hub/fake-hub.js'
import { root } from '../root.js'
import { run, start } from './process.js'

const script = join(root, 'scripts', 'fetch-model.js')
const miniature = readFileSync(join(root, 'test/golden/gguf/sentencepiece.gguf'))

describe('scripts/fetch-model.js', () => {
  let hub: FakeHub
  let folder = ''
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fetch-'))
    hub = new FakeHub()
    await hub.start()
    hub.put('Tiny-Q8_0.gguf', miniature)
  })
  afterEach(() => {
    hub.stop()
    rmSync(folder, { recursive: true })
  })

  const surroundings = () => {
    const unset = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'HF_TOKEN', 'HF_HUB_OFFLINE']
    const env = { ...Object.fromEntries(unset.map((name) => [name, undefined])), HF_HOME: folder }
    return { cwd: folder, env: { ...env, HF_ENDPOINT: hub.endpoint, CHECKPOINTS: folder } }
  }

  it('says what it has put where, and what to do next', async () => {
    const { code, stderr } = await run([script, id], surroundings())
    assert.equal(code, 0, stderr)
    const lines = stderr.trim().split('\n')
    assert.ok(
      lines.some((line) => /^fetch: .* MB of 0\.1 MB$/.test(line)),
      stderr,
    )
    assert.deepEqual(lines.slice(-2), [
      'fetch: tiny-model is there',
      'fetch: now run CHAT_MODEL=tiny-model npm start, which builds its engine first',
    ])
    assert.deepEqual(readFileSync(join(folder, 'tiny-model', 'Tiny-Q8_0.gguf')), miniature)
    const again = await run([script, id, '--checkpoints', folder], surroundings())
    assert.match(again.stderr, /^fetch: tiny-model was there already$/m)
    assert.equal(existsSync(join(folder, '.fetch.lock')), false)
  })

  it('stops in order at Ctrl-C, and goes on', async () => {
    hub.put('Tiny-Q8_0.gguf', Buffer.concat([miniature, randomBytes(1e6)]))
    const fetching = start([script, id], surroundings())
    hub.fault = ({ host, range }, response, content) => {
      if (host !== 'cdn' || range) return false
      response.write(content!.subarray(0, 500_000), () =>
        setTimeout(() => process.kill(fetching.pid, 'SIGINT'), 300),
      )
      return true
    }
    const { code, stderr } = await fetching.ended
    assert.equal(code, 130, stderr)
    assert.match(stderr, /^fetch: stopped; the same command goes on where it was$/m)
    assert.deepEqual(readdirSync(folder), ['.tiny-model.fetching'])
    hub.fault = () => false
    await run([script, id], surroundings())
    assert.ok(hub.seen.some(({ range }) => range === 'bytes=500000-'))
    assert.deepEqual(
      readFileSync(join(folder, 'tiny-model', 'Tiny-Q8_0.gguf')),
      hub.files.get('Tiny-Q8_0.gguf'),
    )
  })

  it('refuses in one sentence, and explains itself with --help', async () => {
    for (const [args, message] of [
      [[], /^Name one model: [^\n]*\n$/],
      [['a/b', 'c/d'], /^Name one model/],
      [['--nmae', 'x', id], /^[^\n]*--nmae[^\n]*\n$/],
      [['nowhere/nothing'], /^There is no model [^\n]*nowhere\/nothing[^\n]*\n$/],
    ] as const) {
      const { code, stderr } = await run([script, ...args], surroundings())
      assert.equal(code, 1)
      assert.match(stderr, message)
    }
    const { code, stdout } = await run([script, '--help'], surroundings())
    assert.equal(code, 0)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 120, line)
    assert.match(stdout, /owner\/name:Q4_K_M/)
  })
})
