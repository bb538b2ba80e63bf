/** Every way to ask wrongly over the wire: what the client is told, and that the service goes on. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { chunk, fmt, riff, u32, wav } from '../audio/wav-bytes.js'
import { type Service, sharedService } from '../service.js'
import {
  asked,
  chatPath,
  clipBytes,
  post,
  recording,
  replyOf,
  type Sent,
  send,
  spoken,
  text,
} from './client.js'

type Row = [what: string, body: unknown, status: number, code: string, param: string | null, says: RegExp]

const data = 'messages[0].content[1].input_audio.data'
const heard = (bytes: Uint8Array, format = 'wav') => asked([text('transcribe'), recording(bytes, format)])
const sound = clipBytes('spk1_snt1.wav')
const base64 = (value: string) =>
  asked([text('transcribe'), { type: 'input_audio', input_audio: { data: value, format: 'wav' } }])
const threeHours = 3 * 3600 * 16_000 * 2

const rows: Row[] = [
  ['malformed JSON', '{"messages": [', 400, 'invalid_json', null, /not valid JSON/],
  ['an empty body', '', 400, 'missing_required_parameter', 'messages', /'messages'/],
  ['JSON that is no object', '"Hi."', 400, 'invalid_json', null, /not valid JSON/],
  ['an array', [], 400, 'invalid_value', null, /must be object, not an array/],
  ['no messages', {}, 400, 'missing_required_parameter', 'messages', /'messages'/],
  ['an empty conversation', { messages: [] }, 400, 'invalid_value', 'messages', /fewer than 1 items/],
  ['a number for content', asked(7), 400, 'invalid_value', 'messages[0].content', /must be string or array/],
  ['a wrong limit', asked('Hi.', { max_tokens: 0 }), 400, 'invalid_value', 'max_tokens', />= 1, not 0/],
  [
    'a wrong temperature',
    asked('Hi.', { temperature: 3 }),
    400,
    'invalid_value',
    'temperature',
    /<= 2, not 3/,
  ],
  [
    'a sound that can not be streamed',
    asked('say: hi', { ...spoken, audio: { voice: 'alloy', format: 'wav' }, stream: true }),
    400,
    'unsupported_value',
    'audio.format',
    /^Unsupported value: 'audio\.format' does not support 'wav' when stream=true\. Supported values are: 'pcm16'\.$/,
  ],
  [
    'a stream of more tokens than the context',
    asked('word '.repeat(9000), { stream: true }),
    400,
    'context_length_exceeded',
    'messages',
    /8192/,
  ],
  [
    'an unknown voice',
    asked('say: hi', { ...spoken, audio: { voice: 'bob', format: 'wav' } }),
    400,
    'unknown_voice',
    'audio.voice',
    /"bob".*alloy.*verse.*af_heart.*bm_lewis/,
  ],
  [
    'a reply in a format it does not know',
    asked('say: hi', { ...spoken, audio: { voice: 'alloy', format: 'midi' } }),
    400,
    'unsupported_value',
    'audio.format',
    /'midi'.*'wav', 'mp3', 'flac', 'opus', 'aac', 'pcm16'/,
  ],
  [
    'an unknown audio id',
    {
      messages: [
        { role: 'assistant', audio: { id: 'audio_68af7bd9' } },
        { role: 'user', content: 'And?' },
      ],
    },
    400,
    'invalid_audio_id',
    'messages[0].audio.id',
    /not made by this service/,
  ],
  [
    'a recording in a format it does not know',
    heard(sound, 'wma'),
    400,
    'unsupported_value',
    data.replace('data', 'format'),
    /"wma".*'wav', 'mp3'/,
  ],
  ['an mp3 that is none', heard(Buffer.from('ID3\x04\0\0\0')), 400, 'invalid_audio', data, /looks like MP3/],
  ['base64 of another alphabet', base64('UklG_-=='), 400, 'invalid_base64', data, /character 5 /],
  ['base64 that is cut', base64('UklGR'), 400, 'invalid_base64', data, /no multiple of 4/],
  ['a truncated WAV', heard(sound.subarray(0, 50_000)), 400, 'invalid_audio', data, /truncated/],
  ['a WAV without sound', heard(wav(Buffer.alloc(0))), 400, 'invalid_audio', data, /no samples/],
  [
    'a WAV of three hours',
    heard(riff([fmt(), chunk('data', Buffer.alloc(1000), threeHours)])),
    413,
    'audio_too_long',
    data,
    /10800 s long; the limit is 600 s/,
  ],
  [
    'a WAV that claims four gigabytes',
    heard(Buffer.concat([riff([fmt()]), Buffer.from('data'), u32(0xffff_fff0), Buffer.alloc(100)])),
    413,
    'audio_too_long',
    data,
    /the limit is 600 s/,
  ],
  [
    'more tokens than the context',
    asked('word '.repeat(9000)),
    400,
    'context_length_exceeded',
    'messages',
    /90\d\d.*8192|8192.*90\d\d/,
  ],
  [
    'more to say aloud than the limit',
    asked(`say: ${'x'.repeat(20_000)}`, spoken),
    400,
    'invalid_value',
    'messages',
    /20000 characters; the limit is 16384 \(MAX_SPEECH_CHARACTERS\)/,
  ],
  [
    'a body above the limit',
    asked('x'.repeat(26 * 2 ** 20)),
    413,
    'request_too_large',
    null,
    /larger than 26214400 bytes.*MAX_BODY/,
  ],
]

describe('POST /v1/chat/completions, refused', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })

  /** The next request works, and in the same process. */
  async function goesOn(): Promise<void> {
    const { status, completion } = await post(service, asked('say: still here'))
    assert.deepEqual([status, replyOf(completion)], [200, 'still here'])
  }

  for (const [what, body, status, code, param, says] of rows)
    it(`tells what is wrong with ${what}`, async () => {
      const answer = await send(service, chatPath, typeof body === 'string' ? body : JSON.stringify(body))
      assert.equal(answer.status, status, answer.text.slice(0, 500))
      assert.deepEqual(Object.keys(JSON.parse(answer.text) as object), ['error'])
      const { message, ...fields } = answer.error
      assert.deepEqual(fields, { type: 'invalid_request_error', param, code })
      assert.match(message, says)
      assert.ok(message.length < 700, `${message.length} characters`)
      await goesOn()
    })

  for (const [what, path, sent, body, status, code, says] of [
    ['an unknown path', '/v1/chat', {}, '{}', 404, 'not_found', /no POST \/v1\/chat here/],
    ['a path that is no URI', '/%E0%A4%A', {}, undefined, 404, 'not_found', /./],
    [
      'a wrong method',
      chatPath,
      { method: 'GET' },
      undefined,
      405,
      'method_not_allowed',
      /takes POST, not GET/,
    ],
    ['another wrong method', '/health', {}, '{}', 405, 'method_not_allowed', /takes GET/],
    [
      'another content type',
      chatPath,
      { headers: { 'content-type': 'text/plain' } },
      '{}',
      415,
      'unsupported_media_type',
      /not text\/plain/,
    ],
    [
      'a body that is not in its encoding',
      chatPath,
      { headers: { 'content-encoding': 'gzip' } },
      '{}',
      400,
      'invalid_value',
      /can not be read: incorrect header check/,
    ],
    [
      'an encoding it does not know',
      chatPath,
      { headers: { 'content-encoding': 'zstd2' } },
      '{}',
      415,
      'unsupported_media_type',
      /zstd2/,
    ],
  ] as [string, string, Sent, string | undefined, number, string, RegExp][])
    it(`tells what is wrong with ${what}`, async () => {
      const answer = await send(service, path, body, sent)
      assert.deepEqual([answer.status, answer.error.code, answer.error.param], [status, code, null])
      assert.equal(answer.error.type, 'invalid_request_error')
      assert.match(answer.error.message, says)
      if (status === 405) assert.ok(answer.headers.get('allow'))
      await goesOn()
    })

  it('misses the messages of a request without a body', async () => {
    const headers = { 'content-type': 'application/json' }
    const { status, error } = await send(service, chatPath, undefined, { method: 'POST', headers })
    assert.deepEqual([status, error.code, error.param], [400, 'missing_required_parameter', 'messages'])
  })

  it('lives on when a body ends early', async () => {
    const { port } = service
    const sent = request({ host: '127.0.0.1', port, path: chatPath, method: 'POST' })
    sent.on('error', () => {})
    sent.setHeader('content-type', 'application/json')
    sent.setHeader('content-length', '1000')
    sent.setHeader('x-request-id', 'cut-short')
    sent.write('{"messages": [', () => sent.destroy())
    const line = await service.logged(({ id, msg }) => id === 'cut-short' && msg === 'request')
    assert.equal(line.status, 499)
    await goesOn()
  })

  it('gives every reply an id: its own, or the one of the client', async () => {
    const own = await post(service, asked('say: a'))
    assert.match(own.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/)
    const id = 'client.id:7-a_b'
    for (const body of [asked('say: a'), {}]) {
      const { headers } = await post(service, body, { headers: { 'x-request-id': id } })
      assert.equal(headers.get('x-request-id'), id)
    }
    for (const odd of ['two words', 'x'.repeat(129), '<script>']) {
      const { headers } = await post(service, asked('say: a'), { headers: { 'x-request-id': odd } })
      assert.match(headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/)
    }
  })

  it('logs every request and every refusal under its id', async () => {
    await post(service, asked('Hi.', { top_p: 2 }), { headers: { 'x-request-id': 'logged-1' } })
    const line = await service.logged(({ id, msg }) => id === 'logged-1' && msg === 'request')
    assert.deepEqual([line.method, line.path, line.status], ['POST', chatPath, 400])
    assert.ok(typeof line.ms === 'number' && Number(line.contentLength) > 20)
    const refusal = await service.logged(({ id, code }) => id === 'logged-1' && code === 'invalid_value')
    assert.equal(refusal.param, 'top_p')
    assert.ok(!service.logs.some(({ level }) => level >= 50), 'no refusal is a fault of the service')
  })

  it('answers a client that speaks no fetch: kept connection, chunked body', async () => {
    const { port } = service
    const headers = { 'content-type': 'application/json; charset=utf-8', expect: '100-continue' }
    const sent = request({ host: '127.0.0.1', port, path: chatPath, method: 'POST', headers })
    for (const piece of JSON.stringify(asked('say: grüezi'))) sent.write(piece)
    sent.end()
    const body = await new Promise<string>((resolve, reject) => {
      sent.on('response', (response) => resolve(textOf(response)))
      sent.on('error', reject)
    })
    assert.match(body, /grüezi/)
  })
})
