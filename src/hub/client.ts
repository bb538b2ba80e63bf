/**
 * HTTP with the hub: proxies by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (which Node 20's own fetch ignores), the token to the
 * hub alone, its refusals as sentences, and patience with what passes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { SetupError } from '../errors.js'
import type { HubSettings } from './settings.js'

/** Tries after the first, each twice as long after the one before. */
const RETRIES = 5
const LONGEST_PAUSE = 30_000
/** Bytes of the longest answer of the hub's API. */
const LARGEST_ANSWER = 64 * 1024 * 1024

/** What may pass by itself: a broken connection, an overloaded server. */
export class Transient extends Error {
  override readonly name = 'Transient'

  constructor(
    message: string,
    /** Milliseconds to wait, where the server says so. */
    readonly after?: number,
  ) {
    super(message)
  }
}

export class HubClient {
  readonly settings: HubSettings
  readonly #agent: EnvHttpProxyAgent
  readonly #pause: number

  /** @param pause milliseconds before the first new try */
  constructor(settings: HubSettings, pause = 1000) {
    this.settings = settings
    this.#pause = pause
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
      throw new Transient(reason(error))
    }
    if (response.ok) return response
    await response.body?.cancel()
    if (response.status === 416) throw new Transient('the server has no such range')
    if (response.status === 408 || response.status === 429 || response.status >= 500)
      throw new Transient(`the server answered ${response.status}`, retryAfter(response))
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
        if (failures === RETRIES) throw this.#unreachable(error)
        const pause = Math.min(error.after ?? this.#pause * 2 ** failures, LONGEST_PAUSE)
        failures++
        await sleep(pause * (1 + Math.random() / 4), undefined, { signal }).catch(() =>
          signal.throwIfAborted(),
        )
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #unreachable({ message }: Transient): SetupError {
    return new SetupError(
      `${this.settings.endpoint} can not be used now (${message}): check the network and HTTPS_PROXY, and run the same command again, it goes on where it was; or copy the model's folder from another machine and name that.`,
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

/** Why a request failed: fetch hides it in the cause. */
function reason(error: unknown): string {
  const { code = '', message = '' } = ((error as Error).cause ?? error) as { code?: string; message?: string }
  return message.includes(code) ? message : [code, message].filter((part) => part !== '').join(' ')
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? seconds * 1000 : undefined
}

/** The hub's own codes: https://huggingface.co/docs/huggingface_hub (utilities, errors). */
function refusal(response: Response, id: string, { endpoint, token }: HubSettings): SetupError {
  const { status } = response
  const code = response.headers.get('x-error-code')
  const page = `${endpoint}/${id}`
  const how =
    token === null ? 'set HF_TOKEN to a token' : 'use another token in HF_TOKEN, the present one may not'
  if (code === 'RevisionNotFound') return new SetupError(`${page} has no such revision.`)
  if (code === 'EntryNotFound')
    return new SetupError(`${page} lacks a file that it lists: run the command again.`)
  if (code === 'GatedRepo' || status === 403)
    return new SetupError(
      `${page} is gated: open it in a browser, accept its terms, then ${how} (${endpoint}/settings/tokens) of that account.`,
    )
  if (code === 'RepoNotFound' || status === 401 || status === 404)
    return new SetupError(
      `There is no model ${page}, or it is private: check the spelling, or ${how} that may read it.`,
    )
  return new SetupError(`${page} can not be fetched: the hub answered ${status} ${response.statusText}.`)
}
