/** The thread of a model on a GPU, with a language model in place of the real one that only multiplies. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceError } from '#src/errors.js'
import { MANIFEST } from '#src/runtime/manifest.js'
import { ModelThread } from '#src/runtime/thread.js'
import { collectGarbage } from './garbage.js'
import { currentBuild, describeNative } from './native/toolchain.js'
import { decoder, type TestGraph, testGpu, writePlans } from './runtime/tensorrt/engines.js'
import { House } from './runtime/tensorrt/house.js'

const engines = new URL('./runtime/tensorrt/engines.js', import.meta.url).href
const model = `
import { decoderFeeds } from '${engines}'
let begun = 0
export async function loadLlama({ open, manifest }) {
  const session = await open('decoder')
  return {
    parallel: 2,
    facts: { slots: manifest.graphs.decoder.slots },
    async *run(values, signal) {
      begun++
      if (values.length === 0) {
        yield begun
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        signal.throwIfAborted()
      }
      for (const [past, value] of values.entries()) {
        signal.throwIfAborted()
        const { y } = await session.run(decoderFeeds([[value]], [past]), [{ slot: 0, past }])
        yield y.data[0]
      }
      session.release(0)
    },
    dispose: () => session.dispose(),
  }
}
`
type Thread = ModelThread<number[], number>

describeNative('worker', () => {
  let house: House
  let libraries: string
  const deaths: ServiceError[] = []
  const threads: Thread[] = []

  before(async () => {
    house = new House()
    const build = await currentBuild()
    house.install(build.addon)
    house.replace(join('models', 'llama', 'generate.js'), model)
    libraries = build.sdk
  })
  after(() => house.remove())
  afterEach(async () => {
    delete process.env.FAKE_CUDA_FAIL
    deaths.length = 0
    for (const thread of threads.splice(0)) await thread.stop()
  })

  async function start(graph: TestGraph = decoder): Promise<Thread> {
    const { folder, manifest } = await writePlans({ decoder: graph }, await testGpu())
    writeFileSync(join(folder, MANIFEST), JSON.stringify(manifest))
    const settings = {
      family: 'llama',
      runtime: 'tensorrt',
      folder,
      threads: 1,
      cores: new SharedArrayBuffer(8),
      device: 0,
      libraries,
      slots: 1,
      stateBytes: 1,
    } as const
    const thread: Thread = await ModelThread.start(house.url('worker.js'), settings, (error) => {
      deaths.push(error)
    })
    threads.push(thread)
    return thread
  }
  async function all(thread: Thread, values: number[]): Promise<number[]> {
    const answers: number[] = []
    for await (const answer of thread.call(values, new AbortController().signal)) answers.push(answer)
    return answers
  }

  it('tells what its model took of the GPU, serves, and gives it back', async () => {
    const { native } = await testGpu()
    await collectGarbage()
    const before = native.memory().free
    const thread = await start()
    const { memory, warnings, facts, parallel } = thread.info
    assert.equal(parallel, 2)
    assert.deepEqual(facts, { slots: decoder.signature.slots })
    assert.deepEqual(warnings, [])
    assert.equal(memory!.device, 'Fake GPU 0')
    assert.equal(memory!.free, native.memory().free)
    assert.equal(memory!.taken, before - memory!.free)
    assert.deepEqual(await all(thread, [1, 2, 3]), [1, 4, 9])
    assert.deepEqual(await all(thread, [4, 5]), [16, 25])
    await thread.stop()
    assert.equal(native.memory().free, before)
    assert.deepEqual(deaths, [])
  })

  it('hands the warnings on', async () => {
    const thread = await start({ ...decoder, head: ['uncapturable'] })
    assert.match(thread.info.warnings!.join(), /can not be recorded and replayed/)
    assert.deepEqual(await all(thread, [1, 2, 3]), [1, 4, 9])
  })

  it('begins as many calls as the model takes, others in order, and cancels each for itself', async () => {
    const thread = await start()
    const hold = () => {
      const controller = new AbortController()
      const call = thread.call([], controller.signal)
      return { first: call.next(), call, leave: () => controller.abort() }
    }
    const [one, two, never, three] = [hold(), hold(), hold(), hold()]
    assert.deepEqual([(await one.first).value, (await two.first).value], [1, 2])
    const last = all(thread, [5])
    never.leave()
    await assert.rejects(never.first, { code: 'request_cancelled' })
    two.leave()
    await assert.rejects(two.call.next(), { code: 'request_cancelled' })
    assert.equal((await three.first).value, 3, 'what was cancelled while it waited was not begun')
    one.leave()
    assert.deepEqual(await last, [25])
    const open = three.call.next()
    await thread.stop()
    await assert.rejects(open, { code: 'shutting_down' })
    assert.deepEqual(deaths, [])
  })

  it('survives the error of a request', async () => {
    const thread = await start()
    await assert.rejects(all(thread, [1, 2, 3, 4, 5, 6, 7, 8, 9]), /9 rows of state, but a slot holds 8/)
    assert.deepEqual(await all(thread, [2]), [4])
    assert.deepEqual(deaths, [])
  })

  it('ends when CUDA fails, which tells the service', async () => {
    const thread = await start()
    assert.deepEqual(await all(thread, [3]), [9])
    process.env.FAKE_CUDA_FAIL = 'cudaGraphLaunch=719'
    await assert.rejects(all(thread, [3]), /cudaGraphLaunch/)
    delete process.env.FAKE_CUDA_FAIL
    while (deaths.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.match(deaths[0]!.message, /^The thread of test stopped by an error: .*cudaGraphLaunch/)
    await assert.rejects(all(thread, [3]), /cudaGraphLaunch/)
  })
})
