/** A hub of one repository on this machine: its API, its resolve URLs, and the other host that large files come from. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly host: 'hub' | 'cdn'
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

/** What a host does in place of answering well; false: it answers well after all. */
export type Fault = (seen: Seen, response: ServerResponse, content: Buffer | undefined) => boolean

export const id = 'Some-Org/Tiny-Model'

export class FakeHub {
  files = new Map<string, Buffer>()
  commit = '1'.repeat(40)
  readonly seen: Seen[] = []
  fault: Fault = () => false
  /** Milliseconds before content is sent. */
  delay = 0
  /** Requests for content under way, and the most of them. */
  busy = 0
  busiest = 0
  /** Sizes to claim in place of the true ones. */
  readonly claimed = new Map<string, number>()
  readonly #hub: Server
  readonly #cdn: Server

  constructor() {
    this.#hub = createServer((request, response) => this.#answer('hub', request, response))
    this.#cdn = createServer((request, response) => this.#answer('cdn', request, response))
  }

  async start(): Promise<void> {
    for (const server of [this.#hub, this.#cdn])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  }

  stop(): void {
    for (const server of [this.#hub, this.#cdn]) {
      server.close()
      server.closeAllConnections()
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get port(): number {
    return (this.#hub.address() as AddressInfo).port
  }

  /** Paths of the files that were asked for, each once, as far as they lead to content. */
  get fetched(): string[] {
    const contents = this.seen.filter(({ path }) => path.includes('/resolve/'))
    return [...new Set(contents.map(({ path }) => path.replace(/^.*\/resolve\/[^/]+\//, '')))].sort()
  }

  put(name: string, content: Buffer | string | object): void {
    this.files.set(name, Buffer.from(isText(content) ? content : JSON.stringify(content)))
  }

  #answer(host: Seen['host'], request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url!, this.endpoint).pathname)
    const { range, authorization } = request.headers
    const seen = { host, path, range, authorization }
    this.seen.push(seen)
    const prefix = `/${id}/resolve/${this.commit}/`
    const name = path.startsWith(prefix) ? path.slice(prefix.length) : undefined
    const content = name === undefined ? undefined : this.files.get(name)
    if (content) {
      this.busiest = Math.max(this.busiest, ++this.busy)
      response.once('close', () => this.busy--)
    }
    if (this.fault(seen, response, content)) return
    if (path === `/api/models/${id}/revision/main` || path === `/api/models/${id}/revision/${this.commit}`)
      return void response.end(JSON.stringify(this.#listing()))
    if (!content || !name) return void refuse(response, 404, name ? 'EntryNotFound' : 'RepoNotFound')
    if (host === 'hub' && isLarge(name)) {
      const { port } = this.#cdn.address() as AddressInfo
      const location = `http://127.0.0.1:${port}${request.url}`
      return void response.writeHead(302, { location, 'x-linked-etag': `"${sha256(content)}"` }).end()
    }
    setTimeout(() => send(response, content, range), this.delay)
  }

  #listing(): object {
    const siblings = [...this.files].map(([rfilename, content]) => {
      const size = this.claimed.get(rfilename) ?? content.length
      const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
      return {
        rfilename,
        size,
        blobId,
        ...(isLarge(rfilename) ? { lfs: { sha256: sha256(content), size } } : {}),
      }
    })
    return { id, sha: this.commit, gated: false, siblings }
  }
}

/** The content, or the range of it that is asked for, until `end` and then a broken connection. */
export function send(
  response: ServerResponse,
  content: Buffer,
  range: string | undefined,
  end = content.length,
): void {
  const [, first = '0', last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  const stop = last ? Math.min(Number(last) + 1, content.length) : content.length
  const begin = Number(first)
  if (begin > 0 && begin >= content.length) return void response.writeHead(416).end()
  if (range) response.writeHead(206, { 'content-range': `bytes ${begin}-${stop - 1}/${content.length}` })
  else response.writeHead(200, { 'content-length': content.length })
  if (end >= stop) return void response.end(content.subarray(begin, stop))
  response.write(content.subarray(begin, end), () => setTimeout(() => response.destroy(), 20))
}

export function refuse(response: ServerResponse, status: number, code?: string): void {
  response.writeHead(status, code ? { 'x-error-code': code } : {}).end('<html>an explanation</html>')
}

const isText = (content: Buffer | string | object): content is string | Buffer =>
  typeof content === 'string' || Buffer.isBuffer(content)
const isLarge = (name: string): boolean => /\.(safetensors|gguf|bin)$/.test(name)
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
