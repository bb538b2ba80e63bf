/** The HTTP API: one line per endpoint. */
import express, { type Express, type RequestHandler } from 'express'
import type { Logger } from 'pino'
import type { Admission } from '../assistant/admission.js'
import type { ServiceInfo } from '../assistant/info.js'
import type { Models } from '../assistant/registry.js'
import { ServiceError } from '../errors.js'
import { type ChatLimits, chatCompletions } from './chat.js'
import { cors } from './cors.js'
import { errorHandler, methodNotAllowed, notFound } from './errors.js'
import { health } from './health.js'
import { checkDepth } from './json-depth.js'
import { listModels, ModelNames, retrieveModel } from './models.js'
import { openapi } from './openapi.js'
import { page } from './page.js'
import { limitRate, RateLimiter } from './rate-limit.js'
import { admit, requireKey, track } from './request.js'
import { type SpeechLimits, speech } from './speech.js'
import { type TranscriptionLimits, transcriptions } from './transcriptions.js'
import { listSpeechModels, listVoices } from './voices.js'

export interface AppOptions {
  readonly models: Models
  readonly admission: Admission
  readonly logger: Logger
  readonly info: ServiceInfo
  readonly limits: ChatLimits & SpeechLimits & TranscriptionLimits
  readonly apiKey: string | null
  readonly corsOrigins: readonly string[]
  readonly requestsPerMinute: number | null
  readonly strictModels: boolean
}

export function createApp(options: AppOptions): Express {
  const { models, admission, logger, info, limits, apiKey, corsOrigins, requestsPerMinute } = options
  const names = ModelNames.of(models, options.strictModels)
  const admitted = admit(admission)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(track(logger))
  if (corsOrigins.length > 0) app.use(cors(corsOrigins))
  const { paths, serve } = page()
  app.route(paths).get(serve).all(methodNotAllowed('GET', 'HEAD'))
  app.route('/health').get(health(info)).all(methodNotAllowed('GET', 'HEAD'))
  app.route('/openapi.json').get(openapi(info.version)).all(methodNotAllowed('GET', 'HEAD'))
  if (apiKey !== null) app.use('/v1', requireKey(apiKey))
  if (requestsPerMinute !== null) app.use('/v1', limitRate(new RateLimiter(requestsPerMinute)))
  app.route('/v1/models').get(listModels(names)).all(methodNotAllowed('GET', 'HEAD'))
  app.route('/v1/models/*id').get(retrieveModel(names)).all(methodNotAllowed('GET', 'HEAD'))
  const json = express.json({
    limit: limits.maxBody,
    // The type is checked before, also where there is no body.
    type: () => true,
    verify: (_request, _response, body) => checkDepth(body),
  })
  app
    .route('/v1/chat/completions')
    .post(requireType('application/json'), admitted, json, chatCompletions(models, names, limits))
    .all(methodNotAllowed('POST'))
  app
    .route('/v1/audio/speech')
    .post(requireType('application/json'), admitted, json, speech(models, names, limits))
    .all(methodNotAllowed('POST'))
  app
    .route('/v1/audio/transcriptions')
    .post(requireType('multipart/form-data'), admitted, transcriptions(models, names, limits))
    .all(methodNotAllowed('POST'))
  const { name, facts } = models.kokoro.info
  app
    .route('/v1/audio/voices')
    .get(listVoices(facts.voices as readonly string[]))
    .all(methodNotAllowed('GET', 'HEAD'))
  app.route('/v1/audio/models').get(listSpeechModels(name)).all(methodNotAllowed('GET', 'HEAD'))
  app.use(notFound)
  app.use(errorHandler(logger))
  return app
}

const mediaTypes = {
  'application/json': /^application\/([\w.+-]+\+)?json\s*(;|$)/i,
  'multipart/form-data': /^multipart\/form-data\s*(;|$)/i,
}

function requireType(wanted: keyof typeof mediaTypes): RequestHandler {
  return function checkType(request, _response, next) {
    const sent = request.get('content-type') ?? 'no content-type'
    if (mediaTypes[wanted].test(sent)) return next()
    throw new ServiceError('unsupported_media_type', `The body must be ${wanted}, not ${sent.slice(0, 64)}.`)
  }
}
