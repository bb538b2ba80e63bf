/** Listening and draining. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { SetupError } from '../errors.js'

/** @throws SetupError when the address can not be had */
export async function listen(app: Express, host: string, port: number): Promise<Server> {
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(error, host, port)))
    server.listen(port, host, resolve)
  })
  return server
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Stops accepting, lets running requests finish, and resolves when the last connection is closed. */
export async function drain(server: Server): Promise<void> {
  // Kept-alive connections would hold the server open: each is told to close with the answer it still gets.
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'))
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  await closed
  clearInterval(sweep)
}

/** One sentence for a port that is taken or not ours to take. */
export function listenFailure(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  name = 'PORT',
): Error {
  if (error.code === 'EADDRINUSE')
    return new SetupError(`Port ${port} on ${host} is in use: stop what listens there or set ${name}.`)
  if (error.code === 'EACCES')
    return new SetupError(`Port ${port} may not be opened by this user: set ${name} to one above 1023.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new SetupError(`${host} is no address of this machine: set HOST.`)
  return error
}
