import assert from 'node:assert/strict'
import { request } from 'node:http'
import { OpenAI, toFile } from 'openai'
import { type Service, sharedService } from '../service.js'
import { clipBytes, openai, send, transcripts, wordErrorRate } from './client.js'

const path = '/v1/audio/transcriptions'
const name = 'spk1_snt4.wav'

describe('POST /v1/audio/transcriptions', () => {
  let service: Service
  before(async () => {
    service = await sharedService()
  })
  const file = (clip = name) => toFile(clipBytes(clip), clip.replace('coded/', ''))
  const form = (fields: Record<string, string>, clip: string | null = name) => {
    const body = new FormData()
    for (const [key, value] of Object.entries(fields)) body.append(key, value)
    if (clip) body.append('file', new Blob([Uint8Array.from(clipBytes(clip))]), clip)
    return body
  }
  const post = async (body: FormData) => {
    const response = await fetch(service.url + path, { method: 'POST', body })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text }
  }
  const refusal = async (body: FormData) => {
    const { status, text } = await post(body)
    const { error } = JSON.parse(text) as { error: { code: string; param: string | null; message: string } }
    return { status, ...error }
  }

  it("hears what OpenAI's client sends", async () => {
    const heard = await openai(service).audio.transcriptions.create({
      model: 'whisper-1',
      file: await file(),
    })
    assert.equal(wordErrorRate(transcripts[name]!, heard.text), 0, heard.text)
    assert.deepEqual(heard.usage, { type: 'duration', seconds: 3 })
  })

  it('hears other formats, in a language, after a prompt, at a temperature', async () => {
    const heard = await openai(service).audio.transcriptions.create({
      model: 'whisper-1',
      file: await file('coded/stripe.opus'),
      language: 'en',
      prompt: 'Colours and shapes.',
      temperature: 0,
      response_format: 'json',
    })
    assert.equal(wordErrorRate(transcripts[name]!, heard.text), 0, heard.text)
  })

  it('answers with the text alone', async () => {
    const { status, headers, text } = await post(form({ model: 'any', response_format: 'text' }))
    assert.equal(status, 200)
    assert.match(headers.get('content-type')!, /^text\/plain/)
    assert.ok(text.endsWith('\n'))
    assert.equal(wordErrorRate(transcripts[name]!, text), 0, text)
  })

  for (const [what, fields, clip, status, code, param] of [
    ['no file', { model: 'a' }, null, 400, 'missing_required_parameter', 'file'],
    ['no model', {}, name, 400, 'missing_required_parameter', 'model'],
    ['what is no recording', { model: 'a' }, 'README.md', 400, 'invalid_audio', 'file'],
    [
      'a format it has not',
      { model: 'a', response_format: 'srt' },
      name,
      400,
      'invalid_value',
      'response_format',
    ],
    ['streaming', { model: 'a', stream: 'true' }, name, 400, 'unsupported_value', 'stream'],
    [
      'word times',
      { model: 'a', 'timestamp_granularities[]': 'word' },
      name,
      400,
      'unsupported_value',
      'timestamp_granularities',
    ],
    [
      'cutting by silence',
      { model: 'a', 'chunking_strategy[type]': 'server_vad' },
      name,
      400,
      'unsupported_value',
      'chunking_strategy',
    ],
    ['a temperature in words', { model: 'a', temperature: 'hot' }, name, 400, 'invalid_value', 'temperature'],
    ['a temperature too high', { model: 'a', temperature: '1.5' }, name, 400, 'invalid_value', 'temperature'],
    ['an unknown language', { model: 'a', language: 'klingon' }, name, 400, 'invalid_value', 'language'],
    ['a field without end', { model: 'a', prompt: 'x'.repeat(70_000) }, name, 400, 'invalid_value', 'prompt'],
  ] as [string, Record<string, string>, string | null, number, string, string][])
    it(`refuses ${what}`, async () => {
      const { status: got, code: kind, param: where, message } = await refusal(form(fields, clip))
      assert.deepEqual([got, kind, where], [status, code, param], message)
    })

  it('refuses forms with too many parts, or of too many bytes, and reads them to their end', async () => {
    const many = form({ model: 'a' })
    for (let i = 0; i < 80; i++) many.append(`x${i}`, 'y')
    assert.match((await refusal(many)).message, /more than 6\d (fields|parts)/)
    const large = form({ model: 'a' }, null)
    large.append('file', new Blob([new Uint8Array(27 * 2 ** 20)]), 'large.wav')
    const { status, code } = await refusal(large)
    assert.deepEqual([status, code], [413, 'request_too_large'])
  })

  it('refuses what is no form', async () => {
    const json = await send(service, path, '{}')
    assert.deepEqual([json.status, json.error.code], [415, 'unsupported_media_type'])
    const bare = await send(service, path, 'x', { headers: { 'content-type': 'multipart/form-data' } })
    assert.deepEqual([bare.status, bare.error.code], [415, 'unsupported_media_type'])
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const broken = await send(service, path, '--b\r\ncontent-disposition: form-data; name="file"', {
      headers,
    })
    assert.deepEqual([broken.status, broken.error.code], [400, 'invalid_value'])
    assert.match(broken.error.message, /can not be read/)
  })

  it('lives on when an upload is cut', async () => {
    const { port } = service
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'x-request-id': 'cut-upload' }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers })
    sent.on('error', () => {})
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'
    sent.write(head, () => sent.destroy())
    const line = await service.logged(({ id, msg }) => id === 'cut-upload' && msg === 'request')
    assert.equal(line.status, 499)
    await assert.rejects(
      openai(service).audio.transcriptions.create({ model: '', file: await file() }),
      OpenAI.BadRequestError,
    )
  })
})
