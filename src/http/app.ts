/** The HTTP API: one line per endpoint. */
import express, { type Express, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import type { ServiceInfo } from '../assistant/info.js'
import type { Admission, Models } from '../assistant/registry.js'
import { ServiceError } from '../errors.js'
import { type ChatLimits, chatCompletions } from './chat.js'
import { errorHandler, methodNotAllowed, notFound } from './errors.js'
import { health } from './health.js'
import { admit, requireKey, track } from './request.js'

export interface AppOptions {
  readonly models: Models
  readonly admission: Admission
  readonly logger: Logger
  readonly info: ServiceInfo
  readonly limits: ChatLimits
  readonly maxBody: number
  readonly apiKey: string | null
}

export function createApp({ models, admission, logger, info, limits, maxBody, apiKey }: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(track(logger))
  app.route('/health').get(health(info)).all(methodNotAllowed('GET'))
  if (apiKey !== null) app.use('/v1', requireKey(apiKey))
  app
    .route('/v1/chat/completions')
    .post(requireJson, admit(admission), json(maxBody), chatCompletions(models, limits))
    .all(methodNotAllowed('POST'))
  app.use(notFound)
  app.use(errorHandler(logger))
  return app
}

const requireJson: RequestHandler = (request, _response, next) => {
  const sent = request.get('content-type') ?? 'no content-type'
  if (/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(sent)) return next()
  throw new ServiceError(
    'unsupported_media_type',
    `The body must be application/json, not ${sent.slice(0, 64)}.`,
  )
}

/** The type is checked before, also where there is no body. */
const json = (limit: number): RequestHandler => express.json({ limit, type: () => true })
