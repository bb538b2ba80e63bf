/** Ends in the way that is asked for, with an inference and a build on their way. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openNative } from '../native.js'
import { answer } from './answer.js'
import { makeEverything, startLongBuild } from './everything.js'

const way = process.argv[2] ?? ''

async function busy() {
  const native = await openNative()
  native.onLog(() => undefined)
  return { native, made: await makeEverything(native) }
}

const ways: Record<string, () => Promise<void>> = {
  async 'leave the event loop'() {
    await busy()
    answer('left')
  },
  async 'process.exit'() {
    startLongBuild((await busy()).native).done.catch(() => undefined)
    answer('left')
    process.exit()
  },
  async 'an uncaught exception'() {
    startLongBuild((await busy()).native).done.catch(() => undefined)
    answer('left')
    throw new Error('on purpose')
  },
  async SIGTERM() {
    startLongBuild((await busy()).native).done.catch(() => undefined)
    process.once('SIGTERM', () => process.exit())
    answer('left')
    process.kill(process.pid, 'SIGTERM')
  },
  async 'cancel and leave'() {
    const job = startLongBuild((await busy()).native)
    job.done.catch(({ code }) => answer(code))
    job.cancel()
  },
  async 'terminate workers'() {
    const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { argv: [way] }))
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
    await Promise.all(workers.map((worker) => worker.terminate()))
    answer('left')
  },
  async 'exit above workers'() {
    const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { argv: [way] }))
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
    answer('left')
    process.exit()
  },
}

if (isMainThread) await ways[way]?.()
else {
  startLongBuild((await busy()).native).done.catch(() => undefined)
  parentPort?.postMessage('busy')
  await new Promise(() => setInterval(() => undefined, 1000))
}
