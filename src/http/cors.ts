/** Pages of other origins: none unless the operator lists them (CORS_ORIGINS). */
import type { RequestHandler } from 'express'

const EXPOSED = 'x-request-id, openai-processing-ms, openai-version, retry-after'
const MAX_AGE_SECONDS = 86_400

/** @param origins such as `https://example.org`; `*` for all */
export function cors(origins: readonly string[]): RequestHandler {
  return function answerOrigin(request, response, next) {
    const origin = request.get('origin')
    response.vary('origin')
    if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return next()
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', EXPOSED)
    const method = request.get('access-control-request-method')
    if (request.method !== 'OPTIONS' || method === undefined) return next()
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST')
    // OpenAI's clients send many headers of their own, and new ones with each version.
    response.setHeader('access-control-allow-headers', request.get('access-control-request-headers') ?? '*')
    response.setHeader('access-control-max-age', MAX_AGE_SECONDS)
    response.status(204).end()
  }
}
