/** What every request gets: an id, a line in the log, and a signal that follows its socket. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import { ServiceError } from '../errors.js'

/** Takes the client's x-request-id where it is a sane one, and logs the request when it is over. */
export function track(logger: Logger): RequestHandler {
  return function trackRequest(request, response, next) {
    const begun = performance.now()
    const given = request.get('x-request-id')
    const id = given && /^[\w.:-]{1,128}$/.test(given) ? given : `req_${randomBytes(16).toString('hex')}`
    response.locals.id = id
    response.setHeader('x-request-id', id)
    response.on('close', () => {
      logger.info(
        {
          id,
          method: request.method,
          path: request.path,
          status: response.writableFinished ? response.statusCode : 499,
          ms: Math.round(performance.now() - begun),
          bytesIn: Number(request.get('content-length') ?? 0),
          client: request.socket.remoteAddress,
        },
        'request',
      )
    })
    next()
  }
}

/** Aborts when the client goes away before its answer was sent. */
export function requestSignal(response: Response): AbortSignal {
  const controller = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  if (response.closed || response.destroyed) controller.abort()
  return controller.signal
}

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
