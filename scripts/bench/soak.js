#!/usr/bin/env node
/**
 * Written requests of mixed lengths against a running service for a while, some with several replies, some cancelled
 * half way, some whose connection is cut. Prints resident memory and open requests over time. Fails when a request is
 * lost, when there is no room for eight at once in the end, or when the memory does not stay level in the second half.
 * usage: node scripts/bench/soak.js --pid PID [--url http://localhost:8000] [--minutes 30] [--clients 12]
 */
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    pid: { type: 'string' },
    url: { type: 'string', default: 'http://localhost:8000' },
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '12' },
  },
})
const { url, pid } = options
if (!pid || !existsSync(`/proc/${pid}/status`)) throw new Error('--pid must be the process of the service')
const minutes = Number(options.minutes)
/** Growth of the resident set, from the second quarter to the last, that is still taken for noise. */
const MOST_GROWTH = 1.05
/** No request takes longer, with all the others beside it. */
const PATIENCE = 300_000

const counts = { complete: 0, cancelled: 0, cut: 0, refused: 0 }
/** @type {string[]} */
const failures = []
let open = 0
const end = Date.now() + minutes * 60_000

/** @param {number} seed */
const random = (seed) => {
  let state = seed
  return (/** @type {number} */ most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

/** @param {number} number */
async function client(number) {
  const draw = random(number + 1)
  /** A conversation that goes on, as most do. @type {{ role: string, content: string }[]} */
  let messages = []
  while (Date.now() < end) {
    if (messages.length > 8 || draw(4) === 0) messages = []
    const length = [3, 20, 100, 1200][draw(4)] ?? 3
    messages = [...messages, { role: 'user', content: `${draw(1e6)} ${'word '.repeat(draw(length))}` }]
    const body = {
      messages,
      max_tokens: 1 + draw([8, 40, 200][draw(3)] ?? 8),
      stream: draw(2) === 0,
      n: draw(8) === 0 ? 2 : 1,
      ...(draw(2) === 0 ? { seed: draw(1000) } : {}),
    }
    open++
    try {
      const kind = draw(10)
      if (kind === 0) await cut(body, draw(1500))
      else await request(body, kind === 1 ? AbortSignal.timeout(draw(1500)) : undefined)
    } catch (error) {
      const cause = error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error
      failures.push(`${JSON.stringify(body).slice(0, 120)}: ${cause}`)
    } finally {
      open--
    }
  }
}

/** @param {{ stream?: boolean }} body @param {AbortSignal} [leave] */
async function request(body, leave) {
  const patience = AbortSignal.timeout(PATIENCE)
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: leave ? AbortSignal.any([leave, patience]) : patience,
    })
    const text = await response.text()
    if (response.status === 429) counts.refused++
    else if (!response.ok && !/context_length_exceeded/.test(text))
      throw new Error(`${response.status} ${text}`)
    // Chunks have a finish_reason from the first on, and what fails later is an event without [DONE] behind it.
    else if (response.ok && !(body.stream ? /^data: \[DONE\]$/m : /"finish_reason":"/).test(text))
      throw new Error(`it did not end: ${text.slice(-200)}`)
    else counts.complete++
  } catch (error) {
    if (!leave?.aborted) throw error
    counts.cancelled++
  }
}

/** Sends a request and closes the connection, whatever has come by then. @param {object} body @param {number} ms */
async function cut(body, ms) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port) || 80, hostname)
  const text = JSON.stringify(body)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`
  socket.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  socket.on('error', () => {})
  socket.resume()
  await new Promise((resolve) => setTimeout(resolve, ms))
  socket.destroy()
  counts.cut++
}

/** MB by Linux' name. */
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** @type {number[]} */
const memory = []
const begun = Date.now()
const sampling = setInterval(
  () => {
    memory.push(resident())
    const at = ((Date.now() - begun) / 60_000).toFixed(1)
    console.log(`${at} min: ${memory.at(-1)?.toFixed(0)} MB, ${open} open, ${JSON.stringify(counts)}`)
  },
  Math.max(1000, (minutes * 60_000) / 60),
)
await Promise.all(Array.from({ length: Number(options.clients) }, (_, number) => client(number)))
clearInterval(sampling)
// What was cancelled and cut holds no place: none is refused now.
const [last, refused] = [{ messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 4 }, counts.refused]
await Promise.all(Array.from({ length: 8 }, () => request(last)))
if (counts.refused > refused)
  failures.push(`${counts.refused - refused} of 8 requests found no place in the end`)

const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / list.length
const quarter = Math.floor(memory.length / 4)
const growth = mean(memory.slice(-quarter)) / mean(memory.slice(quarter, 2 * quarter))
console.log(`memory: second quarter to last quarter ${((growth - 1) * 100).toFixed(1)} %`)
if (!(growth < MOST_GROWTH)) failures.push(`the memory grows by ${((growth - 1) * 100).toFixed(1)} %`)
for (const failure of failures.slice(0, 20)) console.error(failure)
console.log(failures.length === 0 ? `no failure in ${JSON.stringify(counts)}` : `${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
