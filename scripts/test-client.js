/**
 * Uses every endpoint of a running service once, says what happens, and saves the spoken replies.
 * usage: npm run test-client [-- URL [recording.wav]]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [url = `http://localhost:${process.env.PORT ?? 8000}`, recording] = process.argv.slice(2)
const folder = 'replies'

try {
  mkdirSync(folder, { recursive: true })
  await health()
  await writtenReply()
  const question = recording
    ? readFileSync(recording)
    : await spokenReply('question.wav', 'coral', 'say: How many days are there in a week?')
  await transcript(question)
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

/**
 * @param {string} file
 * @param {string} voice
 * @param {string} content
 */
async function spokenReply(file, voice, content) {
  const { body, seconds } = await chat({
    messages: [{ role: 'user', content }],
    modalities: ['text', 'audio'],
    audio: { voice, format: 'wav' },
  })
  const { data, transcript } = body.choices[0].message.audio
  const wav = Buffer.from(data, 'base64')
  console.log(`\nSpoken by ${voice} after ${seconds} s: “${transcript}” → ${save(file, wav)}`)
  return wav
}

/** @param {Buffer} wav */
async function transcript(wav) {
  const content = [{ type: 'text', text: 'transcribe' }, inputAudio(wav)]
  const { body, seconds } = await chat({ messages: [{ role: 'user', content }] })
  console.log(`\nTranscribed after ${seconds} s: “${body.choices[0].message.content}”`)
}

/** @param {Buffer} wav */
async function conversation(wav) {
  const speech = { modalities: ['text', 'audio'], audio: { voice: 'marin', format: 'wav' } }
  /** @type {object[]} */
  const messages = [{ role: 'user', content: [inputAudio(wav)] }]
  const first = await chat({ ...speech, messages, temperature: 0 })
  const answer = first.body.choices[0].message.audio
  console.log(
    `\nAsked by voice, answered by voice after ${first.seconds} s: “${answer.transcript}” → ${save('answer.wav', Buffer.from(answer.data, 'base64'))}`,
  )
  messages.push(
    { role: 'assistant', audio: { id: answer.id } },
    { role: 'user', content: 'Say that more briefly.' },
  )
  const second = await chat({ ...speech, messages, temperature: 0 })
  const shorter = second.body.choices[0].message.audio
  console.log(
    `Asked to be brief, after ${second.seconds} s: “${shorter.transcript}” → ${save('shorter.wav', Buffer.from(shorter.data, 'base64'))}`,
  )
}

async function refusal() {
  const { status, body } = await call('POST', '/v1/chat/completions', { messages: [] })
  console.log(`\nAn empty conversation is refused with ${status}: ${body.error.message}`)
}

/** @param {object} request */
async function chat(request) {
  const answer = await call('POST', '/v1/chat/completions', request)
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body.error.message}`)
  return answer
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [request]
 */
async function call(method, path, request) {
  const begun = performance.now()
  const key = process.env.API_KEY ? { authorization: `Bearer ${process.env.API_KEY}` } : undefined
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...key },
    ...(request ? { body: JSON.stringify(request) } : {}),
  })
  const body = await response.json()
  return { status: response.status, body, seconds: ((performance.now() - begun) / 1000).toFixed(1) }
}

/** @param {Buffer} wav */
function inputAudio(wav) {
  return { type: 'input_audio', input_audio: { data: wav.toString('base64'), format: 'wav' } }
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
