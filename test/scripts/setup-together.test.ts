import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Clone } from './clone.js'
import { run } from './process.js'

const lock = 'engines/.setup.lock'

describe('scripts/setup.js, interrupted or started twice', () => {
  let clone: Clone
  beforeEach(() => {
    clone = new Clone()
  })
  afterEach(() => clone.remove())

  /** The id of the endless npm, once it runs. */
  async function npmProcess(): Promise<number> {
    const deadline = performance.now() + 10_000
    for (;;) {
      const id = clone.has('npm-pid') ? Number(clone.read('npm-pid')) : 0
      if (id > 0) return id
      assert.ok(performance.now() < deadline, 'npm did not start')
      await sleep(20)
    }
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  it('does the work once when two start at the same time', async () => {
    const both = await Promise.all([clone.setUp(), clone.setUp()])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    )
    assert.equal(clone.npmCalls.length, 1)
    assert.equal(
      both.filter(({ stderr }) => /waiting for another set-up .*process \d+/.test(stderr)).length,
      1,
    )
    assert.ok(!clone.has(lock))
  })

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with its children on ${signal}, with exit code ${expected}`, async () => {
      const { pid, ended } = clone.startSetUp({ NPM_OF_THE_TEST: 'endless' })
      const npm = await npmProcess()
      process.kill(pid, signal)
      const { code, stderr } = await ended
      assert.equal(code, expected)
      assert.equal(stderr.trim(), 'set-up: installing the dependencies with npm ci')
      assert.ok(!isAlive(npm))
      assert.ok(!clone.has(lock))
      assert.equal((await clone.setUp()).code, 0)
    })
  }

  it('ends with its children when the shell that npm started is gone, as after a SIGTERM to npm alone', async () => {
    const env = { NPM_OF_THE_TEST: 'endless', npm_lifecycle_event: 'start', npm_execpath: clone.npm }
    const command = `"${process.execPath}" scripts/setup.js && echo never`
    const options = { cwd: clone.folder, env: { ...process.env, ...env }, stdio: 'ignore' } as const
    const shell = spawn('sh', ['-c', command], options)
    const npm = await npmProcess()
    shell.kill('SIGTERM')
    await once(shell, 'close')
    const deadline = performance.now() + 5000
    while (isAlive(npm) || clone.has(lock)) {
      assert.ok(performance.now() < deadline, 'the set-up went on')
      await sleep(20)
    }
  })

  it('goes on at once from the lock of a process that was killed', async () => {
    const { pid, ended } = clone.startSetUp({ NPM_OF_THE_TEST: 'endless' })
    const npm = await npmProcess()
    process.kill(pid, 'SIGKILL')
    await ended
    process.kill(npm, 'SIGKILL')
    assert.ok(clone.has(lock))
    const { code, stderr } = await clone.setUp()
    assert.equal(code, 0)
    assert.doesNotMatch(stderr, /waiting/)
  })

  it('takes a lock whose holder, elsewhere, stopped touching it', async () => {
    clone.write(lock, JSON.stringify({ pid: 1, host: `not-${hostname()}` }))
    const { code, stdout } = await run(['--input-type=module', '-e', impatient], { cwd: clone.folder })
    assert.equal(code, 0)
    assert.match(stdout, /^waited for process 1 on not-.*\ntaken\nlost$/m)
    assert.equal(clone.read(lock), 'another')
  })
})

/** Takes the lock after 300 ms without a touch, has it taken away, and must not remove the other's then. */
const impatient = `
import { writeFileSync } from 'node:fs'
import { acquire } from './scripts/setup/lock.js'
const release = await acquire('${lock}', {
  patience: 300,
  poll: 50,
  beat: 50,
  onWait: (holder) => console.log('waited for', holder),
  onLost: () => {
    console.log('lost')
    release()
    process.exit()
  },
})
console.log('taken')
writeFileSync('${lock}', 'another')
setTimeout(() => {}, 5000)
`
