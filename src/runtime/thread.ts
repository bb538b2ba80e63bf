/**
 * A model's thread, seen from the main thread. Inference blocks a thread, so each model has its own; only requests,
 * events and errors cross (protocol.ts).
 */
import { Worker } from 'node:worker_threads'
import { ServiceError, SetupError } from '../errors.js'
import { EventQueue } from './event-queue.js'
import type { CallNews, FromThread, ModelInfo, ThreadSettings, ToThread } from './protocol.js'

export class ModelThread<Request, Event> {
  private readonly calls = new Map<number, EventQueue<Event>>()
  private nextId = 1
  private death: ServiceError | undefined

  private constructor(
    private readonly worker: Worker,
    readonly info: ModelInfo,
    private readonly onDeath: (error: ServiceError) => void,
  ) {
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'news') for (const news of message.news) this.receive(news)
    })
    worker.on('error', (error) => this.die(`stopped by an error: ${error.message}`, error))
    worker.on('exit', (code) => this.die(`ended with code ${code}`))
  }

  /**
   * Starts `entry` (src/worker.ts) and resolves when its model is loaded.
   * @param onDeath told when the thread ends without having been asked: its model is gone
   */
  static async start<Request, Event>(
    entry: URL,
    settings: ThreadSettings,
    onDeath: (error: ServiceError) => void,
  ): Promise<ModelThread<Request, Event>> {
    const worker = new Worker(entry, { workerData: settings, name: settings.family })
    const info = await new Promise<ModelInfo>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', (code) =>
        reject(new Error(`the ${settings.family} thread ended with code ${code}`)),
      )
      worker.once('message', (message: FromThread) => {
        if (message.kind === 'ready') return resolve(message.info)
        if (message.kind !== 'failed') return reject(new Error(`unexpected message ${message.kind}`))
        const error = message.setup ? new SetupError(message.message) : new Error(message.message)
        if (message.stack) error.stack = message.stack
        reject(error)
      })
    }).finally(() => {
      // Only these: without the listeners that it has of its own a Worker delivers no more messages.
      for (const event of ['error', 'exit', 'message']) worker.removeAllListeners(event)
    })
    return new ModelThread(worker, info, onDeath)
  }

  /**
   * One request to the model: its events in order. Calls begin in the order of their arrival. When `signal` aborts, the
   * call ends here at once with `request_cancelled` and on the thread at its next step; others are not disturbed.
   */
  async *call(request: Request, signal: AbortSignal): AsyncGenerator<Event> {
    if (this.death) throw this.death
    if (signal.aborted) throw cancelled(signal)
    const id = this.nextId++
    const events = new EventQueue<Event>()
    this.calls.set(id, events)
    const cancel = () => {
      if (this.calls.delete(id) && !this.death) this.send({ kind: 'cancel', id })
    }
    // Nobody else needs to read on for the thread to be told.
    signal.addEventListener('abort', cancel)
    try {
      this.send({ kind: 'call', id, request })
      yield* events.read(signal)
    } catch (error) {
      throw signal.aborted ? cancelled(signal) : error
    } finally {
      signal.removeEventListener('abort', cancel)
      cancel()
    }
  }

  /** Lets the thread end; calls still running are cancelled. */
  async stop(): Promise<void> {
    if (this.death) return
    const exited = new Promise<void>((resolve) => this.worker.once('exit', () => resolve()))
    this.death = new ServiceError('shutting_down', 'The service is shutting down.')
    this.send({ kind: 'stop' })
    await exited
  }

  private send(message: ToThread): void {
    this.worker.postMessage(message)
  }

  private receive(news: CallNews): void {
    const call = this.calls.get(news.id)
    if (!call) return
    if (news.kind === 'event') {
      call.push(news.event as Event)
      return
    }
    this.calls.delete(news.id)
    if (news.kind === 'end') call.end()
    else call.fail(ServiceError.fromWire(news.error))
  }

  private die(what: string, cause?: Error): void {
    const asked = this.death !== undefined
    this.death ??= new ServiceError('server_error', `The thread of ${this.info.name} ${what}.`, null, {
      cause,
    })
    for (const call of this.calls.values()) call.fail(this.death)
    this.calls.clear()
    if (!asked) this.onDeath(this.death)
  }
}

function cancelled(signal: AbortSignal): ServiceError {
  const reason: unknown = signal.reason
  return reason instanceof ServiceError
    ? reason
    : new ServiceError('request_cancelled', 'The client closed the connection.', null, { cause: reason })
}
