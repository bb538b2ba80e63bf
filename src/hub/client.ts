/**
 * HTTP with the hub: proxies by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (which Node 20's own fetch ignores), the token to the
 * hub alone, its refusals as sentences, and patience with what passes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { SetupError } from '../errors.js'
import { proxyRefusal, refusal, retryAfter } from './refusals.js'
import type { HubSettings } from './settings.js'

/** Tries after the first, each twice as long after the one before. */
const RETRIES = 5
const LONGEST_PAUSE = 30_000
/** Milliseconds that a server may ask to wait: the hub counts requests in windows of five minutes. */
const LONGEST_WAIT = 310_000
/** Bytes of the longest answer of the hub's API. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/** What may pass by itself: a broken connection, an overloaded server. */
export class Transient extends Error {
  override readonly name = 'Transient'

  constructor(
    message: string,
    /** Milliseconds to wait, where the server says so. */
    readonly after?: number,
    /** Whether the server counts requests, and there were too many. */
    readonly limited = false,
  ) {
    super(message)
  }
}

/** Is told why a request is made again, and after how many milliseconds. */
export type OnWait = (reason: string, milliseconds: number) => void

export class HubClient {
  readonly settings: HubSettings
  readonly #agent: EnvHttpProxyAgent
  readonly #pause: number
  readonly #onWait: OnWait

  /** @param options.pause milliseconds before the first new try */
  constructor(
    settings: HubSettings,
    { pause = 1000, onWait = () => {} }: { pause?: number | undefined; onWait?: OnWait | undefined } = {},
  ) {
    this.settings = settings
    this.#pause = pause
    this.#onWait = onWait
    this.#agent = new EnvHttpProxyAgent({
      ...settings.proxies,
      headersTimeout: 30_000,
      bodyTimeout: 60_000,
      connect: { timeout: 15_000 },
    })
  }

  /**
   * One request. Redirects are followed; undici's fetch leaves the token out where they lead to another host.
   * @throws Transient for what may pass; SetupError for a refusal
   */
  async get(
    path: string,
    id: string,
    { range, signal }: { range?: string; signal: AbortSignal },
  ): Promise<Response> {
    const { endpoint, token } = this.settings
    const headers = {
      'user-agent': 'simple-audio-service',
      'accept-encoding': 'identity', // sizes and ranges are of the file as it is
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(range === undefined ? {} : { range: `bytes=${range}` }),
    }
    let response: Response
    try {
      response = await fetch(`${endpoint}${path}`, { headers, signal, dispatcher: this.#agent })
    } catch (error) {
      signal.throwIfAborted()
      throw failure(error)
    }
    if (response.ok) return response
    await response.body?.cancel()
    if (response.status === 416) throw new Transient('the server has no such range')
    const { status } = response
    if (status === 408 || status === 429 || status >= 500)
      throw new Transient(`the server answered ${status}`, retryAfter(response), status === 429)
    throw refusal(response, id, this.settings)
  }

  /** The first bytes of a file, at most `most`. */
  start(path: string, id: string, most: number, signal: AbortSignal): Promise<Buffer> {
    return this.patiently(signal, async () => {
      const response = await this.get(path, id, { range: `0-${most - 1}`, signal })
      return read(response, signal, most)
    })
  }

  /** The JSON that a path answers with. */
  async json(path: string, id: string, signal: AbortSignal): Promise<unknown> {
    const answer = await this.patiently(signal, async () =>
      read(await this.get(path, id, { signal }), signal, LARGEST_ANSWER),
    )
    try {
      return JSON.parse(answer.toString('utf8')) as unknown
    } catch (cause) {
      throw this.noHub(cause)
    }
  }

  /** The error for an answer that no hub gives. */
  noHub(cause?: unknown): SetupError {
    return new SetupError(
      `${this.settings.endpoint} does not answer as a hub does: check HF_ENDPOINT and the proxy.`,
      { cause },
    )
  }

  /**
   * Runs `attempt` until it does not fail transiently; what it says through `progressed` renews the patience.
   * @throws SetupError when the patience is at its end; the signal's reason when it is aborted
   */
  async patiently<T>(signal: AbortSignal, attempt: (progressed: () => void) => Promise<T>): Promise<T> {
    for (let failures = 0; ; ) {
      try {
        return await attempt(() => {
          failures = 0
        })
      } catch (error) {
        if (!(error instanceof Transient)) throw error
        const { after = Math.min(this.#pause * 2 ** failures, LONGEST_PAUSE) } = error
        if (failures === RETRIES || after > LONGEST_WAIT) throw this.#unreachable(error)
        failures++
        const pause = after + Math.random() * Math.min(after / 4, 1000)
        this.#onWait(`${this.settings.endpoint}: ${error.message}`, pause)
        await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #unreachable({ message, after, limited }: Transient): SetupError {
    const { endpoint, token } = this.settings
    const seconds = after === undefined || after < 1000 ? '' : ` in ${Math.ceil(after / 1000)} s`
    if (limited)
      return new SetupError(
        `${endpoint} wants fewer requests (${message}): run the same command again${seconds || ' later'}, it goes on where it was${token === null ? '; with a token in HF_TOKEN it allows more' : ''}.`,
      )
    return new SetupError(
      `${endpoint} can not be used now (${message}): check the network and HTTPS_PROXY, and run the same command again${seconds}, it goes on where it was; or copy the model's folder from another machine and name that.`,
    )
  }
}

/** A response's first bytes, at most `most`; the rest is not waited for. */
async function read(response: Response, signal: AbortSignal, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= most) break
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new Transient(reason(error))
  }
  return Buffer.concat(chunks).subarray(0, most)
}

/** The codes of certificates that are not trusted: what signed them is not known here. */
const untrusted = /CERT|ERR_TLS|UNABLE_TO_VERIFY/

function failure(error: unknown): Error {
  const { code, message } = causeOf(error)
  if (message.includes('(407)')) return proxyRefusal()
  if (untrusted.test(code))
    return new SetupError(
      `The connection is not trusted (${code}): if a proxy of your network opens it, set NODE_EXTRA_CA_CERTS to the file of its certificate.`,
      { cause: error },
    )
  return new Transient(reason(error))
}

/** Why a request failed: fetch hides it in the cause, or in the cause's. */
function causeOf(error: unknown): { code: string; message: string } {
  let last = error as Error
  while (last.cause instanceof Error) last = last.cause
  const { code } = last as NodeJS.ErrnoException
  return { code: typeof code === 'string' ? code : '', message: last.message || 'the request failed' }
}

function reason(error: unknown): string {
  const { code, message } = causeOf(error)
  return message.includes(code) ? message : [code, message].filter((part) => part !== '').join(' ')
}
