/** Every object that was made is destroyed: when it is disposed of, collected, or when its thread or process ends. */
import assert from 'node:assert/strict'
import { askChild, countsFile, livingObjects } from './child.js'
import { describeNative } from './toolchain.js'

type Living = Record<string, number>

describeNative('leaks', () => {
  let counts: string
  beforeEach(() => {
    counts = countsFile()
  })

  const letGo = (way: string) =>
    askChild<{ before?: Living; after: Living }>('leaks', { args: [way], env: { FAKE_COUNTS: counts } })

  it('leaves nothing of what is disposed of', async () => {
    const { before, after } = await letGo('dispose')
    // x, y, weights, activations
    const memory = { deviceMemory: 4, hostMemory: 1 }
    assert.deepEqual(before, {
      ...memory,
      ...{ streams: 1, events: 1, graphExecs: 1, runtimes: 1, engines: 1, contexts: 1 },
    })
    assert.deepEqual(after, { runtimes: 1 }, 'a thread keeps its runtime')
    assert.deepEqual(livingObjects(counts), {})
  })

  for (const way of ['dispose parents first', 'collect', 'fail'])
    it(`leaves nothing after: ${way}`, async () => {
      const { after } = await letGo(way)
      assert.deepEqual(after, { runtimes: 1 })
      assert.deepEqual(livingObjects(counts), {})
    })

  for (const fault of [
    ...['cudaMalloc', 'cudaMallocHost', 'cudaStreamCreateWithFlags', 'cudaEventCreateWithFlags'],
    ...['cudaMemcpyAsync', 'cudaEventRecord', 'cudaStreamBeginCapture', 'cudaStreamEndCapture'],
    ...['cudaGraphInstantiate', 'cudaGraphLaunch', 'cudaStreamSynchronize'],
  ])
    it(`leaves nothing when ${fault} fails, and says so`, async () => {
      // 719 is cudaErrorLaunchFailure: no failure that a capture or an allocation is prepared for.
      const env = { FAKE_COUNTS: counts, FAKE_CUDA_FAIL: `${fault}=719` }
      const { code, message } = await askChild<{ code: string; message: string }>('leaks', {
        args: ['dispose'],
        env,
      })
      // The first allocation is TensorRT's own, for the weights.
      assert.equal(code, fault === 'cudaMalloc' ? 'tensorrt' : 'cuda')
      assert.match(message, /cudaErrorLaunchFailure/)
      if (code === 'cuda') assert.match(message, new RegExp(fault))
      assert.deepEqual(livingObjects(counts), {})
    })
})
