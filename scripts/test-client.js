/**
 * Uses every endpoint of a running service once, says what happens, and saves the spoken replies.
 * usage: npm run test-client [-- URL [recording]]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const [url = `http://localhost:${process.env.PORT ?? 8000}`, recording] = process.argv.slice(2)
const folder = 'replies'
const chatPath = '/v1/chat/completions'
const key = process.env.API_KEY ? { authorization: `Bearer ${process.env.API_KEY}` } : undefined

try {
  mkdirSync(folder, { recursive: true })
  await health()
  await models()
  await writtenReply()
  await streamedReply()
  const question = recording ? readFileSync(recording) : await speech('How many days are there in a week?')
  await transcription(question, recording ? basename(recording) : 'question.mp3')
  await streamedConversation(question)
  await conversation(question)
  await refusal()
} catch (error) {
  const cause = /** @type {Error & { cause?: Error }} */ (error).cause
  console.error(cause ? `${url} does not answer (${cause.message}): is the service running?` : error)
  process.exit(1)
}

async function health() {
  const { body } = await call('GET', '/health')
  console.log(`The service is ${body.status}, version ${body.version} on ${body.runtime}, with`)
  for (const { name, parameters } of body.models)
    console.log(`  ${name} (${Math.round(parameters / 1e6)} M parameters)`)
}

async function models() {
  const { body } = await call('GET', '/v1/models')
  const names = body.data.map((/** @type {{ id: string }} */ { id }) => id)
  const { body: first } = await call('GET', `/v1/models/${names[0]}`)
  console.log(`Its models are ${names.join(', ')}; ${first.id} is owned by ${first.owned_by}`)
  const { body: speaking } = await call('GET', '/v1/audio/models')
  const { body: spoken } = await call('GET', '/v1/audio/voices')
  console.log(
    `${speaking.models[0].name} speaks with ${spoken.voices.length} voices, the first is ${spoken.voices[0].name}`,
  )
  const { body: description } = await call('GET', '/openapi.json')
  console.log(`It describes ${Object.keys(description.paths).length} paths in OpenAPI ${description.openapi}`)
}

async function writtenReply() {
  const content = 'In one sentence: why is the sky blue?'
  const { body, seconds } = await chat({
    messages: [{ role: 'user', content }],
    temperature: 0,
    max_tokens: 60,
  })
  console.log(`\nAsked in writing: ${content}`)
  console.log(
    `Answer after ${seconds} s (${body.usage.completion_tokens} tokens): ${body.choices[0].message.content}`,
  )
}

async function streamedReply() {
  const messages = [{ role: 'user', content: 'Name three rivers.' }]
  process.stdout.write('\nThree rivers, streamed: ')
  for await (const { choices } of stream({ messages, temperature: 0, max_tokens: 40 }))
    process.stdout.write(choices[0]?.delta.content ?? '')
  console.log()
}

/** @param {string} input */
async function speech(input) {
  const begun = performance.now()
  const response = await post('/v1/audio/speech', { model: 'any', voice: 'coral', input })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  const mp3 = Buffer.from(await response.arrayBuffer())
  console.log(`\nSpoken after ${since(begun)} s: “${input}” → ${save('question.mp3', mp3)}`)
  return mp3
}

/**
 * @param {Buffer} sound
 * @param {string} name
 */
async function transcription(sound, name) {
  const begun = performance.now()
  const form = new FormData()
  form.append('model', 'any')
  form.append('file', new Blob([Uint8Array.from(sound)]), name)
  const response = await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', headers: key, body: form })
  const body = await response.json()
  if (!response.ok) throw new Error(`${response.status}: ${body.error.message}`)
  console.log(`Transcribed after ${since(begun)} s: “${body.text}”`)
}

/** @param {Buffer} question */
async function streamedConversation(question) {
  const begun = performance.now()
  const request = {
    messages: [{ role: 'user', content: [inputAudio(question)] }],
    modalities: ['text', 'audio'],
    audio: { voice: 'marin', format: 'pcm16' },
    temperature: 0,
  }
  const [firsts, pieces] = [/** @type {string[]} */ ([]), /** @type {Buffer[]} */ ([])]
  let [transcript, words] = ['', false]
  for await (const { choices } of stream(request)) {
    const audio = choices[0]?.delta.audio ?? {}
    if (audio.transcript && !words) firsts.push(`the first words after ${since(begun)} s`)
    if (audio.data && pieces.length === 0) firsts.push(`the first sound after ${since(begun)} s`)
    words ||= Boolean(audio.transcript)
    transcript += audio.transcript ?? ''
    if (audio.data) pieces.push(Buffer.from(audio.data, 'base64'))
  }
  const file = save('streamed.pcm', Buffer.concat(pieces))
  console.log(`\nAsked by voice, streamed: ${firsts.join(', ')}, all after ${since(begun)} s:`)
  console.log(`“${transcript}” → ${file} (24 kHz, mono, 16 bit)`)
}

/** @param {Buffer} question */
async function conversation(question) {
  const spoken = { modalities: ['text', 'audio'], audio: { voice: 'marin', format: 'wav' } }
  /** @type {object[]} */
  const messages = [{ role: 'user', content: [inputAudio(question)] }]
  const first = await chat({ ...spoken, messages, temperature: 0 })
  const answer = first.body.choices[0].message.audio
  const file = save('answer.wav', Buffer.from(answer.data, 'base64'))
  console.log(`\nThe same at once, after ${first.seconds} s: “${answer.transcript}” → ${file}`)
  messages.push(
    { role: 'assistant', audio: { id: answer.id } },
    { role: 'user', content: 'Say that more briefly.' },
  )
  const second = await chat({
    ...spoken,
    messages,
    temperature: 0,
    audio: { voice: 'marin', format: 'opus' },
  })
  const shorter = second.body.choices[0].message.audio
  const brief = save('shorter.opus', Buffer.from(shorter.data, 'base64'))
  console.log(`Asked to be brief, after ${second.seconds} s: “${shorter.transcript}” → ${brief}`)
}

async function refusal() {
  const { status, body } = await call('POST', chatPath, { messages: [] })
  console.log(`\nAn empty conversation is refused with ${status}: ${body.error.message}`)
}

/** @param {object} request */
async function chat(request) {
  const answer = await call('POST', chatPath, request)
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.error.message}`)
  return answer
}

/**
 * The chunks of a streamed reply.
 * @param {object} request
 */
async function* stream(request) {
  const response = await post(chatPath, { ...request, stream: true })
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`)
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (!event.startsWith('data: {')) continue
      const chunk = JSON.parse(event.slice(6))
      if (chunk.error) throw new Error(chunk.error.message)
      yield chunk
    }
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [request]
 */
async function call(method, path, request) {
  const begun = performance.now()
  const response = await (request ? post(path, request) : fetch(url + path, { method, headers: key }))
  return { status: response.status, body: await response.json(), seconds: since(begun) }
}

/**
 * @param {string} path
 * @param {object} request
 */
function post(path, request) {
  const headers = { 'content-type': 'application/json', ...key }
  return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(request) })
}

/** @param {number} begun */
function since(begun) {
  return ((performance.now() - begun) / 1000).toFixed(1)
}

/**
 * The service looks at the bytes, so any name of a format will do.
 * @param {Buffer} sound
 */
function inputAudio(sound) {
  return { type: 'input_audio', input_audio: { data: sound.toString('base64'), format: 'mp3' } }
}

/**
 * @param {string} file
 * @param {Buffer} bytes
 */
function save(file, bytes) {
  const path = join(folder, file)
  writeFileSync(path, bytes)
  return path
}
