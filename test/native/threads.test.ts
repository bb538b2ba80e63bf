/** Threads with engines of their own, and every way to end while work is on its way. */
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { askChild, countsFile, livingObjects, runChild } from './child.js'
import { failure, makeEngine, openNative } from './native.js'
import { describeNative } from './toolchain.js'

describeNative('threads', () => {
  it('serves several threads, each with its own engine', async () => {
    const counts = countsFile()
    const { results, codes } = await askChild<{ results: number[][]; codes: number[] }>('workers', {
      env: { FAKE_COUNTS: counts },
    })
    // 50 doublings; the value is put back after each tenth, counted from the first.
    assert.deepEqual(
      results,
      [1, 2, 3, 4, 5].map((value) => [value * 2 ** 9, 0]),
    )
    assert.deepEqual(codes, [0, 0, 0, 0])
    assert.deepEqual(livingObjects(counts), {})
  })

  it('gives its objects to no other thread', async () => {
    const native = await openNative()
    const stream = new native.Stream()
    const engine = await makeEngine(native, ['input x int8 [1]', 'y = copy x', 'output y'])
    const context = engine.createContext(0, stream)
    const echo = new Worker(
      "const { parentPort } = require('node:worker_threads'); parentPort.once('message', (it) => parentPort.postMessage(it))",
      { eval: true },
    )
    const echoed = new Promise<typeof stream>((resolve) => echo.once('message', resolve))
    echo.postMessage(stream)
    const copy = await echoed
    await echo.terminate()
    assert.throws(() => context.enqueue(copy), failure('misuse', /stream must be a Stream/))
  })

  for (const [way, exitCode, clears] of [
    ['leave the event loop', 0, true],
    ['cancel and leave', 0, true],
    ['terminate workers', 0, true],
    // Node does not end the main thread's environment in these: the system takes back what is left.
    ['process.exit', 0, false],
    ['SIGTERM', 0, false],
    ['an uncaught exception', 1, false],
    ['exit above workers', 0, false],
  ] as const)
    it(`ends in peace while work is on its way: ${way}`, async () => {
      const counts = countsFile()
      const begun = performance.now()
      const { code, stdout, stderr } = await runChild('endings', {
        args: [way],
        env: { FAKE_COUNTS: counts },
      })
      assert.equal(code, exitCode, `${stdout}\n${stderr}`)
      assert.equal(JSON.parse(stdout), way === 'cancel and leave' ? 'cancelled' : 'left')
      if (exitCode === 0) assert.equal(stderr, '')
      else assert.match(stderr, /Error: on purpose/)
      assert.ok(performance.now() - begun < 100_000, 'the build of 200 s was given up')
      if (clears) assert.deepEqual(livingObjects(counts), {})
    })
})
