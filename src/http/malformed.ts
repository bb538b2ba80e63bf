/** What Node refuses before it is a request, answered like every other error: in OpenAI's shape, with an id, logged. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { type FailureCode, ServiceError } from '../errors.js'
import { errorBody } from './errors.js'
import { newRequestId } from './request.js'

/** Node's error codes: https://nodejs.org/api/http.html#event-clienterror */
const failuresByCode: Readonly<Record<string, [FailureCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are larger than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
}

export function answerMalformed(server: Server, logger: Logger): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy()
    const [code, message] = failuresByCode[error.code ?? ''] ?? [
      'malformed_request',
      `This is not a request in HTTP/1.1: ${error.message}.`,
    ]
    const failure = new ServiceError(code, message)
    const id = newRequestId()
    logger.info({ id, code, status: failure.row.http, client: socket.remoteAddress }, message)
    const body = JSON.stringify(errorBody(failure))
    socket.end(
      [
        `HTTP/1.1 ${failure.row.http} ${code}`,
        'content-type: application/json; charset=utf-8',
        `content-length: ${Buffer.byteLength(body)}`,
        `x-request-id: ${id}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    )
  })
  // Node would refuse what it does not know here with a bare 417; such a client gets its answer without waiting.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
}
