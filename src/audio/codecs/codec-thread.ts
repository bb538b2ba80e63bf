/** The codecs' thread, seen from the main thread: asked, answered, and watched. */
import { Worker } from 'node:worker_threads'
import { ServiceError } from '../../errors.js'
import type { Answers, FromCodecs, Request, ToCodecs } from './protocol.js'

/** A file that keeps a decoder from answering for so long has led it astray. */
const PATIENCE_MS = 20_000
const PING_EVERY_MS = 5_000
/** Of JavaScript's own heap; samples are outside of it and bounded by what a request may bring. */
const HEAP_MB = 512

interface Call {
  readonly request: Request
  resolve(answer: never): void
  reject(error: unknown): void
}

export class CodecThread {
  private readonly worker: Worker
  private readonly calls = new Map<number, Call>()
  private lastCall = 0
  private watch: NodeJS.Timeout | undefined
  /** How it ended. */
  private fate: string | undefined

  /**
   * @param entry what the thread runs
   * @param patienceMs how long it may owe a sign of life
   */
  constructor(
    entry: URL,
    private readonly patienceMs = PATIENCE_MS,
    private readonly pingEveryMs = PING_EVERY_MS,
  ) {
    const limits = { maxOldGenerationSizeMb: HEAP_MB }
    this.worker = new Worker(entry, { name: 'codecs', resourceLimits: limits })
    this.worker.unref()
    this.worker.on('message', (message: FromCodecs) => this.receive(message))
    this.worker.on('error', (error) => this.end(`failed: ${error.message}`))
    this.worker.on('exit', () => this.end('ended'))
  }

  get ended(): boolean {
    return this.fate !== undefined
  }

  async ask<R extends Request>(request: R, signal: AbortSignal): Promise<Answers[R['kind']]> {
    signal.throwIfAborted()
    const call = ++this.lastCall
    const cancel = () => {
      this.send({ call, request: null })
      this.calls.get(call)?.reject(signal.reason)
      this.forget(call)
    }
    signal.addEventListener('abort', cancel)
    try {
      return await this.post(call, request)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  private post<R extends Request>(call: number, request: R): Promise<Answers[R['kind']]> {
    return new Promise((resolve, reject) => {
      if (this.fate !== undefined) return reject(failure(request, this.fate))
      this.calls.set(call, { request, resolve, reject })
      this.worker.ref()
      if (!this.watch && request.kind !== 'ping') this.watch = setTimeout(() => this.ping(), this.pingEveryMs)
      this.send({ call, request })
    })
  }

  /** While anything is asked of it, the thread has to show that it lives. */
  private ping(): void {
    const impatience = setTimeout(() => {
      this.end('no longer answered')
      void this.worker.terminate()
    }, this.patienceMs)
    const alive = () => {
      clearTimeout(impatience)
      this.watch = this.calls.size > 0 ? setTimeout(() => this.ping(), this.pingEveryMs) : undefined
    }
    // It fails only where all that wait are told of the thread's end.
    this.post(++this.lastCall, { kind: 'ping' }).then(alive, () => clearTimeout(impatience))
  }

  private send(message: ToCodecs): void {
    this.worker.postMessage(message)
  }

  private receive(message: FromCodecs): void {
    const call = this.calls.get(message.call)
    this.forget(message.call)
    if ('error' in message) call?.reject(ServiceError.fromWire(message.error))
    else call?.resolve(message.answer as never)
  }

  private end(what: string): void {
    this.fate ??= what
    this.settle()
    for (const { request, reject } of this.calls.values()) reject(failure(request, this.fate))
    this.calls.clear()
  }

  private forget(call: number): void {
    this.calls.delete(call)
    if (this.calls.size === 0) this.settle()
  }

  private settle(): void {
    clearTimeout(this.watch)
    this.watch = undefined
    this.worker.unref()
  }
}

/** For those who wait for a recording it is most likely the recording that ended the thread. */
function failure({ kind }: Request, fate: string): ServiceError {
  return kind === 'decode'
    ? new ServiceError('invalid_audio', `the recording is damaged: its decoder ${fate}`)
    : new ServiceError('server_error', `The codecs' thread ${fate}.`)
}
