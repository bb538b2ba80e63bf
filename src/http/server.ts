/** Listening and draining. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import type { Express } from 'express'
import type { Logger } from 'pino'
import { SetupError } from '../errors.js'
import { answerMalformed } from './malformed.js'

/** A body has to arrive within this time. */
const REQUEST_TIMEOUT_MS = 60_000
/** A client that takes not a byte of what waits for it in this time is gone, or may as well be. */
const STALLED_MS = 60_000
/** Then the system asks whether a silent peer is still there. */
const PROBE_AFTER_MS = 30_000
/** How long a drain waits for the rest of a body, and (once to twice) for a client to take the answer it was sent. */
const DRAIN_BODY_MS = 5_000
const DRAIN_READ_MS = 30_000

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** An HTTP server that knows which of its connections wait for an answer. */
export class HttpServer {
  private readonly exchanges = new Map<Socket, Exchange | null>()
  private draining = false

  private constructor(
    private readonly server: Server,
    stalledMs: number,
  ) {
    server.setTimeout(stalledMs, (socket) => {
      if (this.exchanges.get(socket) && socket.writableLength === 0) socket.setTimeout(stalledMs)
      else socket.destroy()
    })
    server.on('connection', (socket: Socket) => {
      this.exchanges.set(socket, null)
      socket.once('close', () => this.exchanges.delete(socket))
    })
    server.prependListener('request', (request, response) => this.follow({ request, response }))
  }

  /** @throws SetupError when the address can not be had */
  static async listen(
    app: Express,
    host: string,
    port: number,
    logger: Logger,
    stalledMs = STALLED_MS,
  ): Promise<HttpServer> {
    const server = createServer({ keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS }, app)
    server.requestTimeout = REQUEST_TIMEOUT_MS
    answerMalformed(server, logger)
    const result = new HttpServer(server, stalledMs)
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(listenFailure(error, host, port))
      server.once('error', refuse)
      server.listen(port, host, () => {
        server.off('error', refuse)
        resolve()
      })
    })
    return result
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /**
   * Stops accepting, lets running requests finish, and resolves when the last connection is closed. Connections on
   * which nothing runs are closed at once; so are, after a while, those whose client neither sends its body nor takes
   * its answer.
   */
  async drain(): Promise<void> {
    this.draining = true
    // Not http's own close: it cuts connections whose answer is written but not yet taken.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(this.server, () => resolve())
    })
    for (const [socket, exchange] of this.exchanges)
      if (exchange === null) socket.destroy()
      else if (!exchange.response.headersSent) exchange.response.setHeader('connection', 'close')
    const unread = new Set<Exchange>()
    const isUnread = (exchange: Exchange) => {
      const seen = unread.has(exchange)
      if (exchange.response.writableEnded) unread.add(exchange)
      return seen
    }
    const timers = [
      setTimeout(() => this.destroy(({ request }) => !request.complete), DRAIN_BODY_MS),
      setInterval(() => this.destroy(isUnread), DRAIN_READ_MS),
    ]
    await closed
    for (const timer of timers) clearTimeout(timer)
  }

  private follow(exchange: Exchange): void {
    const { socket } = exchange.request
    this.exchanges.set(socket, exchange)
    if (this.draining) exchange.response.setHeader('connection', 'close')
    exchange.response.once('close', () => {
      if (this.exchanges.get(socket) !== exchange) return
      this.exchanges.set(socket, null)
      if (this.draining) socket.end()
    })
  }

  private destroy(isStuck: (exchange: Exchange) => boolean): void {
    for (const [socket, exchange] of this.exchanges) if (exchange && isStuck(exchange)) socket.destroy()
  }
}

/** One sentence for a port that is taken or not ours to take. */
function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE')
    return new SetupError(`Port ${port} on ${host} is in use: stop what listens there or set PORT.`)
  if (error.code === 'EACCES')
    return new SetupError(`Port ${port} may not be opened by this user: set PORT to one above 1023.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new SetupError(`${host} is no address of this machine: set HOST.`)
  return error
}
