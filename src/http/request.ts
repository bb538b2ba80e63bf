/** What every request gets: an id, a line in the log, and a signal that follows its socket. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { Admission, Place } from '../assistant/admission.js'
import { ServiceError } from '../errors.js'

/** The only one that OpenAI's API has. */
const OPENAI_VERSION = '2020-10-01'

export function newRequestId(): string {
  return `req_${randomBytes(16).toString('hex')}`
}

/** Takes the client's x-request-id where it is a sane one, and logs the request when it is over. */
export function track(logger: Logger): RequestHandler {
  return function trackRequest(request, response, next) {
    const begun = performance.now()
    const given = request.get('x-request-id')
    const id = given && /^[\w.:-]{1,128}$/.test(given) ? given : newRequestId()
    // Read now: a connection that was cut has no address any more.
    const client = request.socket.remoteAddress
    response.locals.id = id
    response.setHeader('x-request-id', id)
    response.setHeader('openai-version', OPENAI_VERSION)
    beforeHeaders(response, () => {
      response.setHeader('openai-processing-ms', Math.round(performance.now() - begun))
    })
    response.on('close', () => {
      logger.info(
        {
          id,
          method: request.method,
          path: request.path,
          status: response.writableFinished ? response.statusCode : 499,
          ms: Math.round(performance.now() - begun),
          contentLength: Number(request.get('content-length') ?? 0),
          client,
        },
        'request',
      )
    })
    next()
  }
}

/** Calls `set` when the headers are about to be sent, whoever sends them. */
function beforeHeaders(response: Response, set: () => void): void {
  const { writeHead } = response
  response.writeHead = ((...values: unknown[]) => {
    set()
    return Reflect.apply(writeHead, response, values)
  }) as typeof writeHead
}

/** Aborts when the client goes away before its answer was sent. */
export function requestSignal(response: Response): AbortSignal {
  const controller = new AbortController()
  const abort = () =>
    controller.abort(new ServiceError('request_cancelled', 'The client closed the connection.'))
  response.on('close', () => {
    if (!response.writableFinished) abort()
  })
  if (response.closed || response.destroyed) abort()
  return controller.signal
}

/** Takes a place for the request until its response is over, before a byte of its body is read. */
export function admit(admission: Admission): RequestHandler {
  return function admitRequest(_request, response, next) {
    const place = admission.enter()
    response.locals.place = place
    response.once('close', () => place[Symbol.dispose]())
    next()
  }
}

/** The place of a request that came by {@link admit}. */
export const placeOf = (response: Response): Place => response.locals.place as Place

/** Wants `authorization: Bearer <key>`, compared in constant time. */
export function requireKey(key: string): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(key)
  return function checkKey(request, _response, next) {
    const [, given = ''] = /^Bearer +(.+)$/i.exec(request.get('authorization') ?? '') ?? []
    if (timingSafeEqual(digest(given), expected)) return next()
    throw new ServiceError(
      'invalid_api_key',
      given === ''
        ? "You didn't provide an API key: send it as `authorization: Bearer <key>`."
        : 'Incorrect API key provided.',
    )
  }
}
