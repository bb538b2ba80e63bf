/**
 * The whole service under load for a while: written, spoken and heard requests side by side, some of them given up half
 * way. Fails when a request fails, when the process ends, or when its memory still grows in the second half.
 * usage: node scripts/gpu-check/soak.js MINUTES
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const minutes = Number(process.argv[2] ?? 10)
const CLIENTS = 8
/** Growth of the resident set from the middle to the end that is still taken for noise. */
const MOST_GROWTH = 1.1

const root = fileURLToPath(new URL('../..', import.meta.url))
const server = spawn(process.execPath, ['dist/main.js'], {
  cwd: root,
  env: { ...process.env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' },
  stdio: ['ignore', 'inherit', 'pipe'],
})
let ended = false
let greeting = ''
const port = await new Promise((resolve, reject) => {
  server.stderr.setEncoding('utf8').on('data', (text) => {
    greeting += text
    const [, found] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(greeting) ?? []
    if (found) resolve(found)
  })
  server.once('exit', (code) => reject(new Error(`the service ended with code ${code}: ${greeting}`)))
})
console.log(greeting.trim())
server.once('exit', () => {
  ended = true
})

const clip = readFileSync(`${root}/test/audio/clips/spk1_snt1.wav`, 'base64')
const recording = { type: 'input_audio', input_audio: { data: clip, format: 'wav' } }
const spoken = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }
const user = (/** @type {unknown} */ content) => [{ role: 'user', content }]
const kinds = {
  written: { messages: user('Name three colours.'), max_tokens: 40 },
  spoken: { messages: user('What is a river? One sentence.'), max_tokens: 40, ...spoken },
  'spoken order': { messages: user('say: The quick brown fox jumps over the lazy dog.'), ...spoken },
  heard: { messages: user([{ type: 'text', text: 'transcribe' }, recording]) },
  'heard and answered': { messages: user([recording]), max_tokens: 40, ...spoken },
}
/** Of every request that was answered. @type {Record<string, number[]>} */
const seconds = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]))
let given = 0
/** @type {string[]} */
const failures = []
const end = Date.now() + minutes * 60_000

/** @param {number} client */
async function requests(client) {
  const names = Object.keys(kinds)
  for (let i = client; Date.now() < end && !ended; i++) {
    const name = names[i % names.length] ?? ''
    const gives = i % 7 === 3
    const begun = performance.now()
    try {
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...kinds[/** @type {keyof typeof kinds} */ (name)], seed: i }),
        ...(gives ? { signal: AbortSignal.timeout(50) } : {}),
      })
      const body = await response.text()
      if (response.ok) seconds[name]?.push((performance.now() - begun) / 1000)
      else failures.push(`${name}: ${response.status} ${body}`)
    } catch (error) {
      if (gives && error instanceof DOMException) given++
      else
        failures.push(`${name}: ${error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error}`)
    }
  }
}

/** Resident bytes of the service; Linux only. */
const resident = () =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1])
/** @type {number[]} */
const memory = []
const sampling = setInterval(() => memory.push(resident()), Math.max(1000, (minutes * 60_000) / 40))
await Promise.all(Array.from({ length: CLIENTS }, (_, client) => requests(client)))
clearInterval(sampling)

for (const [name, list] of Object.entries(seconds)) {
  list.sort((a, b) => a - b)
  const at = (/** @type {number} */ part) => (list[Math.floor(part * (list.length - 1))] ?? 0).toFixed(2)
  console.log(
    `${name.padEnd(20)} ${String(list.length).padStart(6)} replies, ${at(0.5)} s in the median, ${at(0.99)} s in the 99th percentile`,
  )
}
console.log(`${given} requests were given up after 50 ms`)
const middle = memory.slice(Math.floor(memory.length / 4), Math.floor(memory.length / 2))
const late = memory.slice(Math.floor((3 * memory.length) / 4))
const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / list.length
const growth = mean(late) / mean(middle)
console.log(`resident memory ${memory.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' ')} MiB`)
console.log(`second quarter to last quarter: ${((growth - 1) * 100).toFixed(1)} %`)
if (!(growth < MOST_GROWTH)) failures.push(`the memory grows: by ${((growth - 1) * 100).toFixed(1)} %`)
if (ended) failures.push('the service ended by itself')
else {
  server.kill('SIGTERM')
  const [code] = await once(server, 'exit')
  if (code !== 0) failures.push(`the service ended with code ${code}`)
}
for (const failure of failures.slice(0, 20)) console.error(failure)
console.log(failures.length === 0 ? 'no failure' : `${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
