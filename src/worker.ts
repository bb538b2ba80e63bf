/** Entry of a model's thread: opens the engine, loads one family's run half, serves its calls. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ServiceError, SetupError } from './errors.js'
import { loadKokoro } from './models/kokoro/speak.js'
import { loadLlama } from './models/llama/generate.js'
import type { Model, ModelContext } from './models/model.js'
import { loadWhisper } from './models/whisper/transcribe.js'
import { Cores } from './runtime/cores.js'
import { type Engine, openEngine } from './runtime/engine.js'
import type { Family } from './runtime/manifest.js'
import { NewsSender } from './runtime/news.js'
import type { FromThread, ModelInfo, ThreadSettings, ToThread } from './runtime/protocol.js'
import { readManifest } from './runtime/store.js'
import { isNativeError } from './runtime/tensorrt/library.js'

type Load = (context: ModelContext) => Promise<Model<never, unknown>>

const families: Record<Family, Load> = { whisper: loadWhisper, llama: loadLlama, kokoro: loadKokoro }

/** What a step throws when nobody waits for its answer any more, or the thread is to end. */
const cancelled = new ServiceError('request_cancelled', 'The request was cancelled.')
const stopped = new ServiceError('shutting_down', 'The service is shutting down.')

interface Loaded {
  readonly engine: Engine
  readonly model: Model<never, unknown>
  readonly info: ModelInfo
}

async function load(settings: ThreadSettings): Promise<Loaded> {
  const begun = performance.now()
  const { folder, threads, cores, device, libraries, slots, stateBytes } = settings
  const manifest = readManifest(folder)
  const engine = await openEngine(folder, manifest, {
    threads,
    cores: new Cores(cores),
    device,
    libraries,
  })
  const model = await families[settings.family]({
    folder,
    manifest,
    slots,
    stateBytes,
    open: (graph, limits) => engine.open(graph, limits),
  })
  const memory = engine.memory()
  const info = {
    name: manifest.model,
    family: manifest.family,
    parameters: manifest.parameters,
    bytes: Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0),
    loadSeconds: (performance.now() - begun) / 1000,
    ...(memory && { memory, warnings: engine.warnings() }),
    parallel: model.parallel,
    facts: model.facts,
  }
  return { engine, model, info }
}

/** Calls begin in the order of their arrival; what is cancelled while it waits is dropped with its audio. */
function serve(port: MessagePort, { engine, model }: Loaded): void {
  const news = new NewsSender((message) => port.postMessage(message))
  const waiting = new Map<number, unknown>()
  const running = new Map<number, AbortController>()
  let stopping = false

  const answer = async (id: number, request: unknown, { signal }: AbortController) => {
    try {
      for await (const event of model.run(request as never, signal)) news.send({ kind: 'event', id, event })
      news.send({ kind: 'end', id })
    } catch (thrown) {
      news.send({ kind: 'error', id, error: ServiceError.from(thrown).toWire() })
      // What CUDA reports of a run, it reports of every call after it, too: the thread ends, and the service with it.
      if (isNativeError(thrown, 'cuda')) throw thrown
    }
    running.delete(id)
    await work()
  }

  const work = async () => {
    for (const [id, request] of waiting) {
      if (running.size >= model.parallel) break
      waiting.delete(id)
      const controller = new AbortController()
      running.set(id, controller)
      void answer(id, request, controller)
    }
    if (!stopping || running.size > 0) return
    await model.dispose()
    await engine.dispose()
    news.flush()
    port.close()
  }

  port.on('message', (message: ToThread) => {
    if (message.kind === 'cancel') {
      if (!waiting.delete(message.id)) running.get(message.id)?.abort(cancelled)
      return
    }
    if (message.kind === 'call') waiting.set(message.id, message.request)
    else {
      stopping = true
      waiting.clear()
      for (const controller of running.values()) controller.abort(stopped)
    }
    void work()
  })
}

if (!parentPort) throw new Error('worker.js is the entry of a thread, not a program')
try {
  const loaded = await load(workerData as ThreadSettings)
  serve(parentPort, loaded)
  parentPort.postMessage({ kind: 'ready', info: loaded.info } satisfies FromThread)
} catch (thrown) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const setup = error instanceof SetupError
  const message: FromThread = { kind: 'failed', message: error.message, setup, stack: error.stack ?? '' }
  parentPort.postMessage(message)
  parentPort.close()
}
