/** GET /health: 200 once everything answers. The port opens only then, so there is no other answer. */
import type { RequestHandler } from 'express'
import { type ServiceInfo, uptimeSeconds } from '../assistant/info.js'

export function health(info: ServiceInfo): RequestHandler {
  const models = info.models.map(({ name, family, parameters, bytes, loadSeconds, facts }) => ({
    name,
    family,
    parameters,
    engine_bytes: bytes,
    load_seconds: Math.round(loadSeconds * 1000) / 1000,
    ...facts,
  }))
  return function getHealth(_request, response) {
    const { version, runtime } = info
    response.json({ status: 'ok', version, runtime, models, uptime_seconds: uptimeSeconds(info) })
  }
}
