/** What the service says when it is ready: where it listens, what it loaded, and something to try. */
import { isIPv6 } from 'node:net'
import type { ServiceInfo } from './assistant/info.js'
import type { Config } from './config.js'

export function greeting(info: ServiceInfo, config: Config, port: number, adminPort?: number): string {
  const host = isIPv6(config.host) ? `[${config.host}]` : config.host
  const here = `http://${['0.0.0.0', '[::]'].includes(host) ? 'localhost' : host}:${port}`
  const key = config.apiKey === null ? '' : ` -H "authorization: Bearer $API_KEY"`
  const request = { modalities: ['text', 'audio'], messages: [{ role: 'user', content: 'say: It works!' }] }
  const kvMegabytes = Math.round(config.kvMemory / 2 ** 20)
  return [
    ...info.models.map(
      ({ name, family, parameters, bytes, loadSeconds, memory }) =>
        `${name} (${family}, ${(parameters / 1e6).toFixed(0)} M parameters, ${megabytes(bytes)}) loaded in ${loadSeconds.toFixed(1)} s${memory ? `, has taken ${megabytes(memory.taken)} of GPU memory` : ''}`,
    ),
    ...info.models.flatMap(({ name, warnings = [] }) => warnings.map((warning) => `${name}: ${warning}`)),
    ...freeMemory(info),
    `conversations may keep up to ${kvMegabytes} MB of keys and values (KV_MEMORY)`,
    `listening on http://${host}:${port}${adminPort === undefined ? '' : `, admin gRPC on 127.0.0.1:${adminPort}`}, ready ${process.uptime().toFixed(1)} s after its start`,
    `talk to it at ${here}/`,
    'or try:',
    `  curl -s ${here}/v1/chat/completions${key} -H "content-type: application/json" -d '${JSON.stringify(request)}' \\`,
    `    | node -e "fs.writeFileSync('reply.wav', Buffer.from(JSON.parse(fs.readFileSync(0)).choices[0].message.audio.data, 'base64'))"`,
    '',
  ].join('\n')
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

/** What the models, which load one after another on a GPU, have left there. */
function freeMemory({ models }: ServiceInfo): string[] {
  const memory = models.at(-1)?.memory
  if (!memory) return []
  return [`${memory.device} has ${megabytes(memory.free)} of ${megabytes(memory.total)} left`]
}
