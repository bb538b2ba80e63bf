import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Cores } from '#src/runtime/cores.js'

/** A thread that works `times` times, and counts in `inside` who is at work and in `most` how many were at once. */
const code = `
  const { parentPort, workerData } = require('node:worker_threads')
  // As a model's thread does: waiting for a turn alone would not keep it alive.
  parentPort.on('message', () => {})
  const { module, memory, counters, times } = workerData
  import(module).then(async ({ Cores }) => {
    const cores = new Cores(memory)
    const counts = new Int32Array(counters)
    for (let i = 0; i < times; i++)
      await cores.use(async () => {
        const inside = Atomics.add(counts, 0, 1) + 1
        if (inside > Atomics.load(counts, 1)) Atomics.store(counts, 1, inside)
        await new Promise((resolve) => setTimeout(resolve, i % 3))
        Atomics.add(counts, 2, 1)
        Atomics.sub(counts, 0, 1)
      })
    parentPort.postMessage('done')
  })`

describe('runtime/cores', () => {
  it('are used by one thread at a time, each getting its turns', async function () {
    this.timeout(20_000)
    const { memory } = new Cores()
    const counters = new SharedArrayBuffer(12)
    const workerData = { module: import.meta.resolve('#src/runtime/cores.js'), memory, counters, times: 60 }
    const threads = [1, 2, 3].map(() => new Worker(code, { eval: true, workerData }))
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))))
    for (const thread of threads) await thread.terminate()
    assert.deepEqual([...new Int32Array(counters)], [0, 1, 180])
  })

  it('are given in the order of asking', async () => {
    const cores = new Cores()
    const order: number[] = []
    const work = (name: number) => () => sleep(5 - name).then(() => order.push(name))
    await Promise.all([1, 2, 3, 4].map((name) => cores.use(work(name))))
    assert.deepEqual(order, [1, 2, 3, 4])
  })

  it('are free again after work that fails, with its reason', async () => {
    const cores = new Cores()
    await assert.rejects(
      cores.use(() => Promise.reject(new Error('out of ideas'))),
      /out of ideas/,
    )
    assert.equal(await cores.use(async () => 'next'), 'next')
  })
})
