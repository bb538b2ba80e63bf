/** What the service says when it is ready: where it listens, what it loaded, and something to try. */
import { isIPv6 } from 'node:net'
import type { ServiceInfo } from './assistant/info.js'
import type { Config } from './config.js'

export function greeting(info: ServiceInfo, config: Config, port: number, adminPort?: number): string {
  const host = isIPv6(config.host) ? `[${config.host}]` : config.host
  const here = `http://${['0.0.0.0', '[::]'].includes(host) ? 'localhost' : host}:${port}`
  const key = config.apiKey === null ? '' : ` -H "authorization: Bearer $API_KEY"`
  const request = { modalities: ['text', 'audio'], messages: [{ role: 'user', content: 'say: It works!' }] }
  return [
    ...info.models.map(
      ({ name, family, parameters, bytes, loadSeconds, memory }) =>
        `${name} (${family}, ${(parameters / 1e6).toFixed(0)} M parameters, ${megabytes(bytes)}) loaded in ${loadSeconds.toFixed(1)} s${memory ? `, has taken ${megabytes(memory.taken)} of GPU memory` : ''}`,
    ),
    ...info.models.flatMap(({ name, warnings = [] }) => warnings.map((warning) => `${name}: ${warning}`)),
    ...freeMemory(info),
    ...info.models.flatMap(conversations),
    `listening on http://${host}:${port}${adminPort === undefined ? '' : `, admin gRPC on 127.0.0.1:${adminPort}`}, ready ${process.uptime().toFixed(1)} s after its start`,
    `talk to it at ${here}/`,
    'or try:',
    `  curl -s ${here}/v1/chat/completions${key} -H "content-type: application/json" -d '${JSON.stringify(request)}' \\`,
    `    | node -e "fs.writeFileSync('reply.wav', Buffer.from(JSON.parse(fs.readFileSync(0)).choices[0].message.audio.data, 'base64'))"`,
    '',
  ].join('\n')
}

/** How many replies a language model writes at once, how long they may be, and the memory that bounds both. */
function conversations({ family, parallel, facts }: ServiceInfo['models'][number]): string[] {
  if (family !== 'llama') return []
  const kv = Math.round(Number(facts.stateBytes) / 2 ** 20)
  return [
    `${parallel} replies are written at once (SLOTS), each in a context of up to ${facts.contextTokens} tokens, in ${kv} MB of keys and values (KV_MEMORY)`,
  ]
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

/** What the models, which load one after another on a GPU, have left there. */
function freeMemory({ models }: ServiceInfo): string[] {
  const memory = models.at(-1)?.memory
  if (!memory) return []
  return [`${memory.device} has ${megabytes(memory.free)} of ${megabytes(memory.total)} left`]
}
