/**
 * What a request needs before its first step, made on a thread of its own, so that replies that are being written do not
 * wait for it: the tokens of its prompt, and its grammars. Reading a conversation takes 1 to 17 µs for each byte, a
 * grammar up to some hundred milliseconds.
 */
import { Worker } from 'node:worker_threads'
import { ServiceError, SetupError, type WireError } from '../../errors.js'
import type { GrammarPlan } from '../../grammar/plan.js'
import type { Shape } from '../../grammar/shape.js'
import type { TokenSet } from '../../grammar/token-set.js'
import type { Dialect } from './dialect.js'
import type { Prompt, PromptRequest } from './prompt.js'

/** What the thread is started with. */
export interface PreparationSettings {
  /** The engine's folder. */
  readonly folder: string
  /** Tokens that the network has. */
  readonly vocabulary: number
  readonly stopTokens: ReadonlySet<number>
}

export type Question =
  /** The prompt of a conversation. `context`: tokens that prompt and reply may have in sum */
  | { readonly kind: 'prompt'; readonly request: PromptRequest; readonly context: number }
  | { readonly kind: 'grammar'; readonly shape: Shape }
  /** The vocabulary, as grammars need it. */
  | { readonly kind: 'tokens' }

export interface Answers {
  readonly prompt: Prompt
  readonly grammar: GrammarPlan
  readonly tokens: TokenSet
}

/** The first message: what the chat template knows, or what is at fault with the files. */
export type Start = { readonly dialect: Dialect } | { readonly failed: string; readonly isSetup: boolean }

/** What a question comes back as. */
export type Answer = { readonly answer: Answers[Question['kind']] } | { readonly error: WireError }

interface Call {
  readonly question: Question
  resolve(answer: never): void
  reject(error: unknown): void
}

export class Preparation {
  readonly dialect: Dialect
  readonly #worker: Worker
  /** In the order of their arrival. */
  readonly #waiting = new Set<Call>()
  /** Whose question is being answered, whether anybody still waits for it or not. */
  #current: Call | undefined
  #closed = false

  private constructor(worker: Worker, dialect: Dialect) {
    this.dialect = dialect
    this.#worker = worker
    // Thrown where nobody catches it: the thread that has started this one ends, and the service with it.
    worker.on('error', (error) => {
      throw sudden(`was stopped by an error: ${error.message}`, error)
    })
    worker.on('exit', (code) => {
      if (!this.#closed) throw sudden(`ended with code ${code}`)
    })
    // Only what is asked of it is a reason to stay.
    worker.unref()
    worker.on('message', (message: Answer) => {
      if ('error' in message) this.#current?.reject(ServiceError.fromWire(message.error))
      else this.#current?.resolve(message.answer as never)
      this.#current = undefined
      worker.unref()
      this.#next()
    })
  }

  /**
   * Starts `entry`. Should the thread end later without having been asked, so does the one that has started it: nothing
   * can be written without.
   * @throws SetupError naming the file at fault
   */
  static async start(
    settings: PreparationSettings,
    entry = new URL('./preparation-thread.js', import.meta.url),
  ): Promise<Preparation> {
    const worker = new Worker(entry, { workerData: settings, name: 'preparation' })
    const start = await new Promise<Start>((resolve, reject) => {
      worker.once('error', (error) => reject(sudden(`was stopped by an error: ${error.message}`, error)))
      worker.once('exit', (code) => reject(sudden(`ended with code ${code}`)))
      worker.once('message', resolve)
    }).finally(() => {
      for (const event of ['error', 'exit', 'message']) worker.removeAllListeners(event)
    })
    if ('dialect' in start) return new Preparation(worker, start.dialect)
    throw start.isSetup ? new SetupError(start.failed) : new Error(start.failed)
  }

  /**
   * Questions are answered one after another; one whose signal has aborted before its turn is left out.
   * @throws ServiceError what is wrong with the request; the signal's reason, as soon as it aborts
   */
  async ask<Q extends Question>(question: Q, signal: AbortSignal): Promise<Answers[Q['kind']]> {
    signal.throwIfAborted()
    let leave = () => {}
    try {
      return await new Promise<Answers[Q['kind']]>((resolve, reject) => {
        const call = { question, resolve, reject }
        leave = () => {
          this.#waiting.delete(call)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave)
        this.#waiting.add(call)
        this.#next()
      })
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async dispose(): Promise<void> {
    this.#closed = true
    for (const call of [this.#current, ...this.#waiting]) call?.reject(new Error('the model is closed'))
    this.#waiting.clear()
    await this.#worker.terminate()
  }

  #next(): void {
    const [call] = this.#waiting
    if (this.#current || !call) return
    this.#waiting.delete(call)
    this.#current = call
    this.#worker.ref()
    this.#worker.postMessage(call.question)
  }
}

const sudden = (what: string, cause?: Error): Error =>
  new Error(`the thread that reads requests ${what}`, { cause })
