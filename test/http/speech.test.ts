import assert from 'node:assert/strict'
import { OpenAI } from 'openai'
import { decodeRecording } from '#src/audio/decode.js'
import { type Service, sharedService } from '../service.js'
import { openai, send } from './client.js'

const path = '/v1/audio/speech'
const input = 'The kettle is on the stove. Please put the green umbrella next to the kitchen door.'
const request = { model: 'tts-1', voice: 'nova', input }

describe('POST /v1/audio/speech', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })
  const speak = (more: Partial<OpenAI.Audio.SpeechCreateParams> = {}) =>
    openai(service).audio.speech.create({ ...request, ...more })
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
  const seconds = async (bytes: Buffer) =>
    (await decodeRecording(bytes, { maxSeconds: 60 }, 'reply')).length / 16_000
  let pcm: Buffer

  it("speaks pcm to OpenAI's client: the samples alone", async () => {
    const response = await speak({ response_format: 'pcm' })
    assert.match(response.headers.get('content-type')!, /^audio\/pcm/)
    assert.equal(response.headers.get('transfer-encoding'), 'chunked')
    pcm = await bytesOf(response)
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2)
    const rms = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)
    assert.ok(rms > 300 && rms < 10_000, `rms ${rms}`)
    assert.ok(pcm.length / 48_000 > 3 && pcm.length / 48_000 < 9)
  })

  for (const [format, type] of [
    [undefined, 'audio/mpeg'],
    ['opus', 'audio/ogg'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
    ['wav', 'audio/wav'],
  ] as const)
    it(`speaks ${format ?? 'mp3, if nothing is said'}`, async () => {
      const response = await speak(format ? { response_format: format } : {})
      assert.ok(response.headers.get('content-type')!.startsWith(type))
      const bytes = await bytesOf(response)
      if (format === 'wav') assert.deepEqual(bytes.subarray(44), pcm)
      if (format === 'aac') assert.equal(bytes.readUInt16BE(0) & 0xfff6, 0xfff0)
      else assert.ok(Math.abs((await seconds(bytes)) - pcm.length / 48_000) < 0.2)
    })

  it('sends sound while it is made', async () => {
    const response = await speak({ response_format: 'pcm' })
    const begun = performance.now()
    let first = 0
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>)
      first ||= part.length && performance.now() - begun
    const all = performance.now() - begun
    assert.ok(first < all * 0.8, `first after ${first} ms, all after ${all} ms`)
  })

  it('speaks faster and slower, with the voice that is meant', async () => {
    const said = { input: 'The kettle is on the stove.', response_format: 'pcm' as const }
    const [fast, plain, slow, own, named] = await Promise.all(
      [{ speed: 2 }, {}, { speed: 0.5 }, { voice: 'af_nova' }, { voice: { id: 'onyx' } }].map(async (more) =>
        bytesOf(await speak({ ...said, ...more } as Partial<OpenAI.Audio.SpeechCreateParams>)),
      ),
    )
    assert.ok(fast!.length < plain!.length * 0.75 && slow!.length > plain!.length * 1.5)
    assert.deepEqual(own, plain)
    assert.notDeepEqual(named, plain)
  })

  it('sends events where they are asked for', async () => {
    const response = await speak({ response_format: 'pcm', stream_format: 'sse' })
    assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
    const events = (await response.text())
      .split('\n\n')
      .filter((event) => event.startsWith('data: '))
      .map((event) => JSON.parse(event.replace(/^data: /, '')) as Record<string, never>)
    const done = events.pop()!
    assert.ok(events.length > 3 && events.every(({ type }) => type === 'speech.audio.delta'))
    assert.deepEqual(Buffer.concat(events.map(({ audio }) => Buffer.from(audio!, 'base64'))), pcm)
    assert.equal(done.type, 'speech.audio.done')
    const { input_tokens, output_tokens, total_tokens } = done.usage as unknown as Record<string, number>
    assert.ok(input_tokens! > 60 && output_tokens! > 100)
    assert.equal(total_tokens, input_tokens! + output_tokens!)
  })

  it('stops for a client that leaves', async () => {
    const controller = new AbortController()
    const headers = { 'content-type': 'application/json', 'x-request-id': 'left-speech' }
    const body = JSON.stringify({ ...request, input: `${input} `.repeat(40), response_format: 'pcm' })
    const { signal } = controller
    const response = await fetch(service.url + path, { method: 'POST', headers, body, signal })
    await response.body!.getReader().read()
    controller.abort()
    const line = await service.logged(({ id, msg }) => id === 'left-speech' && msg === 'request')
    assert.equal(line.status, 499)
  })

  for (const [what, body, status, code, param] of [
    ['no model', { voice: 'nova', input }, 400, 'missing_required_parameter', 'model'],
    ['no input', { voice: 'nova', model: 'a' }, 400, 'missing_required_parameter', 'input'],
    ['no voice', { model: 'a', input }, 400, 'missing_required_parameter', 'voice'],
    ['an empty input', { ...request, input: '' }, 400, 'invalid_value', 'input'],
    ['too long an input', { ...request, input: 'x'.repeat(20_000) }, 400, 'invalid_value', 'input'],
    ['an unknown voice', { ...request, voice: 'bob' }, 400, 'unknown_voice', 'voice'],
    ['an unknown format', { ...request, response_format: 'pcm16' }, 400, 'invalid_value', 'response_format'],
    ['too high a speed', { ...request, speed: 5 }, 400, 'invalid_value', 'speed'],
    ['another stream', { ...request, stream_format: 'hls' }, 400, 'invalid_value', 'stream_format'],
  ] as const)
    it(`refuses ${what}`, async () => {
      const { status: got, error } = await send(service, path, JSON.stringify(body))
      assert.deepEqual([got, error.code, error.param], [status, code, param], error.message)
    })

  it("gives its refusals to OpenAI's client as its own errors", async () => {
    await assert.rejects(speak({ voice: 'bob' }), OpenAI.BadRequestError)
  })
})
