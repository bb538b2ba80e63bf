/** Environment → one frozen, validated object. Every mistake is reported at once. */
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { SetupError } from './errors.js'
import { type Precision, precisions, type Runtime } from './runtime/manifest.js'

interface Setting<T> {
  readonly name: string
  readonly help: string
  /** Shown by --help. */
  readonly fallback: string
  /** The value for a text from the environment, or for the fallback; throws a sentence's end ("must be …"). */
  parse(text: string): T
}

const text = (name: string, fallback: string, help: string): Setting<string> => ({
  name,
  fallback,
  help,
  parse: (value) => value,
})
const hostName = (name: string, fallback: string, help: string): Setting<string> => ({
  name,
  fallback,
  help,
  parse: (value) => {
    if (isIP(value) === 0 && !/^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(value))
      throw new Error('must be an IP address or a host name')
    return value
  },
})
const oneOf = <T extends string>(
  name: string,
  values: readonly T[],
  fallback: T,
  help: string,
): Setting<T> => ({
  name,
  fallback,
  help: `${help} (${values.join(', ')})`,
  parse: (value) => {
    const found = values.find((known) => known === value)
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}`)
    return found
  },
})
const integer = (
  name: string,
  [least, most]: readonly [number, number],
  fallback: number,
  help: string,
): Setting<number> => ({
  name,
  fallback: String(fallback),
  help,
  parse: (value) => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new Error(`must be a whole number from ${least} to ${most}`)
    return number
  },
})
const units: Record<string, number> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }
const size = (
  name: string,
  [least, most]: readonly [string, string],
  fallback: string,
  help: string,
): Setting<number> => {
  const bytes = (value: string): number => {
    const [, number, unit = 'B'] = /^(\d+) ?([KMG]?B)?$/i.exec(value) ?? []
    return number === undefined ? Number.NaN : Number(number) * units[unit.toUpperCase()]!
  }
  return {
    name,
    fallback,
    help,
    parse: (value) => {
      const number = bytes(value)
      if (!(number >= bytes(least) && number <= bytes(most)))
        throw new Error(`must be a size such as 25MB, from ${least} to ${most}`)
      return number
    },
  }
}
const origins = (name: string, help: string): Setting<readonly string[]> => ({
  name,
  fallback: '',
  help,
  parse: (value) => {
    const list = value.split(',').flatMap((item) => item.trim() || [])
    for (const item of list)
      if (item !== '*' && (!URL.canParse(item) || new URL(item).origin !== item))
        throw new Error('must be origins such as https://example.org, with commas between, or *')
    return list
  },
})
/** An empty text means that the setting is off. */
const optional = <T>(setting: Setting<T>): Setting<T | null> => ({
  ...setting,
  fallback: '',
  parse: (value) => (value === '' ? null : setting.parse(value)),
})

const folder = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const settings = {
  host: hostName('HOST', '0.0.0.0', 'address to listen on'),
  port: integer('PORT', [0, 65535], 8000, 'port of the HTTP API; 0 takes a free one'),
  adminPort: optional(
    integer('ADMIN_PORT', [0, 65535], 0, 'port of the gRPC admin API on 127.0.0.1; off unless set'),
  ),
  apiKey: optional(text('API_KEY', '', 'key that clients must send as a bearer token; none unless set')),
  runtime: oneOf<Runtime>('RUNTIME', ['onnxruntime', 'tensorrt'], 'onnxruntime', 'what runs the engines'),
  precision: optional<Precision>({
    name: 'PRECISION',
    fallback: '',
    help: `how the engines compute (on onnxruntime ${precisions.onnxruntime.join(', ')}; on tensorrt ${precisions.tensorrt.join(', ')}); the first of them unless set`,
    parse: (value) => {
      const all: readonly Precision[] = Object.values(precisions).flat()
      const found = all.find((known) => known === value)
      if (found === undefined) throw new Error(`must be one of ${[...new Set(all)].join(', ')}`)
      return found
    },
  }),
  checkpoints: text('CHECKPOINTS', folder('checkpoints'), 'folder with one checkpoint folder per model'),
  engines: text('ENGINES', folder('engines'), 'folder that holds <runtime>/<model>'),
  sttModel: optional(text('STT_MODEL', '', 'Whisper engine to hear with; needed only if there are several')),
  chatModel: optional(text('CHAT_MODEL', '', 'language model engine; needed only if there are several')),
  ttsModel: optional(text('TTS_MODEL', '', 'Kokoro engine to speak with; needed only if there are several')),
  threads: integer('THREADS', [1, 256], availableParallelism(), 'threads of one inference'),
  kvMemory: size(
    'KV_MEMORY',
    ['16MB', '1024GB'],
    '512MB',
    'most memory for the keys and values of all conversations, which bounds how long they may be; part of the engine on tensorrt',
  ),
  slots: integer(
    'SLOTS',
    [1, 256],
    8,
    'replies that are written at the same time, fewer where KV_MEMORY has no 256 tokens for each; part of the engines on tensorrt',
  ),
  device: integer('DEVICE', [0, 255], 0, 'index of the GPU that tensorrt runs on'),
  tensorrtLibraries: optional(
    text(
      'TENSORRT_LIBRARIES',
      '',
      "folder of TensorRT's libraries and CUDA's runtime; where the system finds them unless set",
    ),
  ),
  maxReplyTokens: integer(
    'MAX_REPLY_TOKENS',
    [1, 131072],
    512,
    'tokens of a reply when the request sets no limit',
  ),
  maxSpokenTokens: integer('MAX_SPOKEN_TOKENS', [1, 131072], 160, 'the same for a spoken reply'),
  maxBody: size('MAX_BODY', ['1KB', '1GB'], '25MB', 'largest request body'),
  maxAudioSeconds: integer('MAX_AUDIO_SECONDS', [1, 14400], 600, 'longest recordings of a request, in sum'),
  maxSpeechCharacters: integer(
    'MAX_SPEECH_CHARACTERS',
    [1, 100_000],
    16_384,
    'longest text that "say:" may have spoken',
  ),
  maxWaiting: integer('MAX_WAITING', [0, 10000], 32, 'replies that may wait beside those that are made'),
  intents: oneOf('INTENTS', ['on', 'off'], 'on', 'whether "transcribe" and "say:" are understood as orders'),
  requestsPerMinute: optional(
    integer('REQUESTS_PER_MINUTE', [1, 1_000_000], 60, 'requests that one address may make; off unless set'),
  ),
  corsOrigins: origins('CORS_ORIGINS', 'origins whose pages may use the API, with commas between; * for all'),
  strictModels: oneOf('STRICT_MODELS', ['on', 'off'], 'off', 'whether requests must name the loaded models'),
  logLevel: oneOf(
    'LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'least log level',
  ),
} satisfies Record<string, Setting<unknown>>

type Settings = typeof settings
export type Config = { readonly [K in keyof Settings]: ReturnType<Settings[K]['parse']> }

/**
 * Reads the environment.
 * @throws SetupError that lists every impossible value
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = []
  const entries = Object.entries(settings).map(([key, setting]) => {
    const value = environment[setting.name] ?? setting.fallback
    try {
      return [key, setting.parse(value)]
    } catch (error) {
      mistakes.push(`${setting.name} ${(error as Error).message}, not "${value}"`)
      return [key, undefined]
    }
  })
  const config = Object.fromEntries(entries) as Config
  if (mistakes.length === 0) mistakes.push(...contradictions(config))
  if (mistakes.length > 0) throw new SetupError(`${mistakes.join('; ')}.`)
  return Object.freeze(config)
}

function contradictions({ adminPort, port, precision, runtime }: Config): string[] {
  const found: string[] = []
  if (adminPort !== null && adminPort !== 0 && adminPort === port)
    found.push(`ADMIN_PORT and PORT are both ${port}, but two servers cannot share a port`)
  const possible: readonly Precision[] = precisions[runtime]
  if (precision !== null && !possible.includes(precision))
    found.push(
      `PRECISION is ${precision}, but on RUNTIME ${runtime} it must be one of ${possible.join(', ')}`,
    )
  return found
}

/** What `--help` prints: every variable, its meaning, its default. */
export function configHelp(): string {
  const rows = Object.values(settings).map(({ name, help, fallback }) => ({
    name,
    help: fallback === '' ? help : `${help} [${fallback}]`,
  }))
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    "simple-audio-service: hears, thinks and speaks behind OpenAI's API.",
    '',
    'usage: npm start               set up what is missing, then serve',
    '       node dist/main.js       serve only',
    '       npm run fetch-model     put another model among the checkpoints',
    '       npm run build-engines   convert checkpoints to engines',
    '       npm run build:native    compile the addon for tensorrt',
    '',
    'Settings are environment variables [default]:',
    ...rows.map(({ name, help }) => `  ${name.padEnd(width)}  ${help}`),
    '',
  ].join('\n')
}
