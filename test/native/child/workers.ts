/** Several threads, each with its own engine at work; answers what each computed. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { makeEngine, newPath, onDevice, openNative, read, write } from '../native.js'
import { answer, outcome } from './answer.js'

async function work(value: number): Promise<number[]> {
  const native = await openNative()
  let heard = 0
  native.onLog((severity) => {
    heard += severity === 'error' ? 1 : 0
  })
  const engine = await makeEngine(native, ['input x float32 [1]', 'y = add x x', 'output y'])
  outcome(() => native.loadEngine(newPath('plan')))
  const stream = new native.Stream()
  const context = engine.createContext(0, stream)
  const x = onDevice(native, stream, Float32Array.of(value))
  const y = new native.DeviceBuffer(4)
  context.setAddress('x', x)
  context.setAddress('y', y)
  for (let round = 0; round < 50; round++) {
    context.enqueue(stream)
    stream.copy(x, 0, y, 0, 4)
    if (round % 10 === 0) write(native, stream, x, Float32Array.of(value))
  }
  return [...read(native, stream, x), heard]
}

if (!isMainThread) parentPort?.postMessage(await work(workerData))
else {
  const workers = [1, 2, 3, 4].map((workerData) => new Worker(new URL(import.meta.url), { workerData }))
  const results = workers.map(
    (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
  )
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
  const own = await work(5)
  answer({ results: [...(await Promise.all(results)), own], codes: await Promise.all(ended) })
}
