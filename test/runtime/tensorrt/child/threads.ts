/**
 * Opens an engine with the program that a folder holds, in some threads one after another, and has each run. Answers
 * what its decoder gave and what memory the engine took, or the error.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { decoderFeeds } from '../engines.js'

export interface Job {
  /** The folder with dist/ and native/. */
  readonly house: string
  readonly engine: string
  readonly device: number
  readonly libraries: string
  readonly threads: number
}

export type Answer =
  | { readonly y: number[]; readonly taken: number; readonly device: string }
  | { readonly name: string; readonly message: string }

async function load<T>(house: string, module: string): Promise<T> {
  return (await import(pathToFileURL(join(house, 'dist', 'runtime', module)).href)) as T
}

async function open({ house, engine: folder, device, libraries }: Job): Promise<Answer> {
  const { openEngine } = await load<typeof import('#src/runtime/engine.js')>(house, 'engine.js')
  const { readManifest } = await load<typeof import('#src/runtime/store.js')>(house, 'store.js')
  try {
    const engine = await openEngine(folder, readManifest(folder), { threads: 1, device, libraries })
    const session = await engine.open('decoder')
    const { y } = await session.run(decoderFeeds([[3]], [0]), [{ slot: 0, past: 0 }])
    const memory = engine.memory()!
    return { y: [...(y!.data as Float32Array)], taken: memory.taken, device: memory.device }
  } catch (error) {
    const { name, message } = error as Error
    return { name, message }
  }
}

if (isMainThread) {
  const job = JSON.parse(process.argv[2]!) as Job
  const answers: Answer[] = []
  const workers: Worker[] = []
  for (let i = 0; i < job.threads; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: job })
    workers.push(worker)
    answers.push(
      await new Promise<Answer>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      }),
    )
  }
  // All at once, as they lived.
  await Promise.all(workers.map((worker) => worker.terminate()))
  process.stdout.write(JSON.stringify(answers))
} else {
  const answer = await open(workerData as Job)
  parentPort!.postMessage(answer)
  // Stays, with its memory, until all have answered.
  parentPort!.ref()
}
