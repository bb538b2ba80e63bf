import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { configHelp, readConfig } from '#src/config.js'
import { SetupError } from '#src/errors.js'
import { root } from './root.js'

/** Every variable: a value that is possible, what it is read as, and values that are not. */
const table: Record<string, { key: string; good: string; as: unknown; bad: string[] }> = {
  HOST: { key: 'host', good: '127.0.0.1', as: '127.0.0.1', bad: ['', 'not a host', '-x', 'a/b'] },
  PORT: { key: 'port', good: '0', as: 0, bad: ['', '-1', '65536', '80.5', '8e3', ' 8000', 'http'] },
  ADMIN_PORT: { key: 'adminPort', good: '9000', as: 9000, bad: ['65536', 'on'] },
  API_KEY: { key: 'apiKey', good: 'secret', as: 'secret', bad: [] },
  RUNTIME: { key: 'runtime', good: 'tensorrt', as: 'tensorrt', bad: ['', 'ONNXRUNTIME', 'cuda'] },
  PRECISION: { key: 'precision', good: 'float32', as: 'float32', bad: ['fp16', 'INT8'] },
  CHECKPOINTS: { key: 'checkpoints', good: '/some/where', as: '/some/where', bad: [] },
  ENGINES: { key: 'engines', good: 'engines2', as: 'engines2', bad: [] },
  STT_MODEL: { key: 'sttModel', good: 'whisper-base', as: 'whisper-base', bad: [] },
  CHAT_MODEL: { key: 'chatModel', good: 'smollm2', as: 'smollm2', bad: [] },
  TTS_MODEL: { key: 'ttsModel', good: 'kokoro', as: 'kokoro', bad: [] },
  THREADS: { key: 'threads', good: '3', as: 3, bad: ['0', '257', 'all'] },
  KV_MEMORY: { key: 'kvMemory', good: '2gb', as: 2 ** 31, bad: ['15MB', '1025GB', '1TB', 'much'] },
  SLOTS: { key: 'slots', good: '16', as: 16, bad: ['0', '257', 'all'] },
  DEVICE: { key: 'device', good: '1', as: 1, bad: ['-1', '256', 'cuda:0'] },
  TENSORRT_LIBRARIES: { key: 'tensorrtLibraries', good: '/opt/lib', as: '/opt/lib', bad: [] },
  MAX_REPLY_TOKENS: { key: 'maxReplyTokens', good: '64', as: 64, bad: ['0', '1000000'] },
  MAX_SPOKEN_TOKENS: { key: 'maxSpokenTokens', good: '32', as: 32, bad: ['0', 'NaN'] },
  MAX_BODY: { key: 'maxBody', good: '2048', as: 2048, bad: ['1023', '2GB', '25M', '-1MB', ''] },
  MAX_AUDIO_SECONDS: { key: 'maxAudioSeconds', good: '30', as: 30, bad: ['0', '14401', '1h'] },
  MAX_SPEECH_CHARACTERS: {
    key: 'maxSpeechCharacters',
    good: '4096',
    as: 4096,
    bad: ['0', '100001', 'all'],
  },
  MAX_WAITING: { key: 'maxWaiting', good: '0', as: 0, bad: ['-1', '10001', 'none'] },
  INTENTS: { key: 'intents', good: 'off', as: 'off', bad: ['', 'yes', 'Off'] },
  REQUESTS_PER_MINUTE: { key: 'requestsPerMinute', good: '90', as: 90, bad: ['0', '1.5', 'many'] },
  CORS_ORIGINS: {
    key: 'corsOrigins',
    good: 'https://example.org, http://localhost:3000',
    as: ['https://example.org', 'http://localhost:3000'],
    bad: ['example.org', 'https://example.org/page', 'https://example.org,all'],
  },
  STRICT_MODELS: { key: 'strictModels', good: 'on', as: 'on', bad: ['', 'true'] },
  LOG_LEVEL: { key: 'logLevel', good: 'silent', as: 'silent', bad: ['loud', 'INFO'] },
}

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof SetupError, String(error))
    return error.message
  }
  assert.fail(`${JSON.stringify(environment)} was accepted`)
}

describe('config', () => {
  it('has defaults for everything, and cannot be changed afterwards', () => {
    const config = readConfig({})
    assert.deepEqual(config, {
      host: '0.0.0.0',
      port: 8000,
      adminPort: null,
      apiKey: null,
      runtime: 'onnxruntime',
      precision: null,
      checkpoints: join(root, 'checkpoints'),
      engines: join(root, 'engines'),
      sttModel: null,
      chatModel: null,
      ttsModel: null,
      threads: availableParallelism(),
      kvMemory: 512 * 2 ** 20,
      slots: 8,
      device: 0,
      tensorrtLibraries: null,
      maxReplyTokens: 512,
      maxSpokenTokens: 160,
      maxBody: 25 * 2 ** 20,
      maxAudioSeconds: 600,
      maxSpeechCharacters: 16384,
      maxWaiting: 32,
      intents: 'on',
      requestsPerMinute: null,
      corsOrigins: [],
      strictModels: 'off',
      logLevel: 'info',
    })
    assert.ok(Object.isFrozen(config))
  })

  it('is described by this test in full', () => {
    assert.deepEqual(
      Object.values(table).map(({ key }) => key),
      Object.keys(readConfig({})),
    )
  })

  for (const [name, { key, good, as, bad }] of Object.entries(table)) {
    it(`reads ${name}`, () => {
      assert.deepEqual(readConfig({ [name]: good })[key as 'host'], as)
    })
    if (bad.length > 0)
      it(`refuses impossible values of ${name}`, () => {
        for (const value of bad) {
          const message = refusal({ [name]: value })
          assert.match(message, new RegExp(`^${name} must be [^\n]*, not "${value}"\\.$`))
        }
      })
  }

  it('takes an empty text for "not set" where a setting is optional', () => {
    const { adminPort, apiKey, sttModel } = readConfig({ ADMIN_PORT: '', API_KEY: '', STT_MODEL: '' })
    assert.deepEqual({ adminPort, apiKey, sttModel }, { adminPort: null, apiKey: null, sttModel: null })
  })

  it('reports all mistakes at once, in one line', () => {
    const wrong = Object.fromEntries(
      Object.entries(table).flatMap(([name, { bad }]) => (bad[0] === undefined ? [] : [[name, bad.at(-1)!]])),
    )
    const message = refusal(wrong)
    for (const name of Object.keys(wrong))
      assert.ok(message.includes(`${name} must be`), `${name}: ${message}`)
    assert.equal(message.split('; ').length, Object.keys(wrong).length)
    assert.doesNotMatch(message, /\n/)
  })

  it('says what is possible: the range, the choices, the form of a size', () => {
    assert.equal(refusal({ PORT: '70000' }), 'PORT must be a whole number from 0 to 65535, not "70000".')
    assert.equal(refusal({ INTENTS: 'maybe' }), 'INTENTS must be one of on, off, not "maybe".')
    assert.equal(
      refusal({ MAX_BODY: '2TB' }),
      'MAX_BODY must be a size such as 25MB, from 1KB to 1GB, not "2TB".',
    )
  })

  it('refuses one port for two servers, but not two free ones', () => {
    assert.match(refusal({ PORT: '9000', ADMIN_PORT: '9000' }), /^ADMIN_PORT and PORT are both 9000, /)
    assert.equal(readConfig({ PORT: '0', ADMIN_PORT: '0' }).adminPort, 0)
  })

  it('knows what each runtime computes in, and reports it with what else does not go together', () => {
    assert.equal(readConfig({ RUNTIME: 'tensorrt', PRECISION: 'float16' }).precision, 'float16')
    assert.equal(readConfig({ RUNTIME: 'tensorrt', PRECISION: '' }).precision, null)
    assert.equal(
      refusal({ PRECISION: 'float16' }),
      'PRECISION is float16, but on RUNTIME onnxruntime it must be one of int8, float32.',
    )
    const both = refusal({ PRECISION: 'fp8', PORT: '9000', ADMIN_PORT: '9000' })
    assert.equal(both.split('; ').length, 2)
    assert.match(both, /PRECISION is fp8/)
  })

  it('lists every variable with its default in --help', () => {
    const help = configHelp()
    for (const name of Object.keys(table)) assert.match(help, new RegExp(`^ {2}${name} +\\S`, 'm'))
    assert.match(help, /^ {2}PORT +.*\[8000\]$/m)
    assert.match(help, /^ {2}RUNTIME +.*\(onnxruntime, tensorrt\) \[onnxruntime\]$/m)
    assert.match(help, /npm start/)
  })
})
