/** Failures as OpenAI's clients expect them: status, headers and `{ error: { message, type, param, code } }`. */
import type { NextFunction, Request, Response } from 'express'
import type { Logger } from 'pino'
import { ServiceError } from '../errors.js'
import { isEventStream } from './event-stream.js'

const RETRY_AFTER_SECONDS = 1

/** Express recognises an error handler by its four parameters. */
export function errorHandler(logger: Logger) {
  return function renderError(
    thrown: unknown,
    request: Request,
    response: Response,
    _next: NextFunction,
  ): void {
    const error = fromExpress(thrown, request)
    const { http: status, retryable = false } = error.row
    const log = { id: response.locals.id, code: error.code, param: error.param, status }
    if (status >= 500) logger.error({ ...log, err: error }, error.message)
    else logger.info(log, error.message)
    if (isEventStream(response)) {
      response.end(`data: ${JSON.stringify(errorBody(error))}\n\n`)
      return
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (retryable && !response.hasHeader('retry-after'))
      response.setHeader('retry-after', RETRY_AFTER_SECONDS)
    if (status >= 500 && !retryable) response.setHeader('x-should-retry', 'false')
    response.status(status).json(errorBody(error))
  }
}

/** OpenAI's shape. */
export function errorBody({ message, param, code, row }: ServiceError): object {
  return { error: { message, type: row.type, param, code } }
}

export function notFound(request: Request): never {
  throw new ServiceError('not_found', `There is no ${request.method} ${request.path} here.`)
}

/** Lists what a path takes, for every other method; OPTIONS asks for just that. */
export function methodNotAllowed(...allowed: readonly string[]) {
  return function refuseMethod(request: Request, response: Response): void {
    response.setHeader('allow', [...allowed, 'OPTIONS'].join(', '))
    if (request.method === 'OPTIONS') {
      response.status(204).end()
      return
    }
    throw new ServiceError(
      'method_not_allowed',
      `${request.path} takes ${allowed.join(', ')}, not ${request.method}.`,
    )
  }
}

/** The body parser's errors carry a `type`: https://github.com/expressjs/body-parser#errors */
function fromExpress(thrown: unknown, request: Request): ServiceError {
  if (!(thrown instanceof Error) || thrown instanceof ServiceError) return ServiceError.from(thrown)
  const { type, limit, status } = thrown as Error & { type?: string; limit?: number; status?: number }
  switch (type) {
    case 'entity.parse.failed':
      return new ServiceError('invalid_json', `The body is not valid JSON: ${thrown.message}.`)
    case 'entity.too.large':
      return new ServiceError(
        'request_too_large',
        `The body is larger than ${limit} bytes, the limit of this service (MAX_BODY).`,
      )
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new ServiceError(
        'unsupported_media_type',
        `The body's encoding is not supported: ${thrown.message}.`,
      )
    case 'request.aborted':
    case 'request.size.invalid':
      return new ServiceError('request_cancelled', 'The body ended early.', null, { cause: thrown })
    default:
      if (thrown instanceof URIError)
        return new ServiceError('invalid_value', `The path ${request.path} is not a valid URI.`)
      if (status !== undefined && status < 500)
        return new ServiceError('invalid_value', `The body can not be read: ${thrown.message}.`, null, {
          cause: thrown,
        })
      return ServiceError.from(thrown)
  }
}
