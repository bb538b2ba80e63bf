#!/usr/bin/env node
/**
 * A running service under load, by OpenAI's wire: the time to the first token of a short request, alone and while a
 * prompt of about 2000 tokens is read; the rate of eight streams; and whether seeded requests give the same texts under
 * load, with their prompts seen before or not, as alone. The first two also of a peer with the same API.
 * usage: node scripts/bench/load.js [--url http://localhost:8000] [--peer http://localhost:8001] [--requests 200]
 */
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8000' },
    peer: { type: 'string' },
    requests: { type: 'string', default: '200' },
  },
})
const STREAMS = 8
const RUNS = 5
const words = 'river stone cloud paper lamp garden winter music bread window'.split(' ')

/** A text that no other seed begins with. @param {number} seed @param {number} count words */
const text = (seed, count) =>
  [
    seed,
    ...Array.from({ length: count }, (_, i) => words[((seed + 1) * (i + 3) * 7919 + i * i) % words.length]),
  ].join(' ')

for (const [name, url] of Object.entries({ service: options.url, peer: options.peer })) {
  if (url === undefined) continue
  await stream(url, 'Hello!', 4)
  const alone = []
  const beside = []
  const read = []
  for (let run = 0; run < RUNS; run++) {
    alone.push(await firstToken(url, `Name a ${text(run + 100, 2)}.`))
    // Every run its own long prompt: what was read before would be cached.
    const long = stream(url, `${Date.now()} ${run} ${text(run, 1900)}`, 1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    beside.push(await firstToken(url, `Name a ${text(run + 200, 2)}.`))
    read.push((await long).prompt)
  }
  console.log(`${name}: first token of a short request: ${spread(alone)} alone`)
  console.log(
    `${name}: first token of a short request: ${spread(beside)} while a prompt of ${Math.min(...read)} tokens is read`,
  )
  const begun = performance.now()
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, (_, i) => stream(url, `Tell a long story of a ${text(i, 3)}.`, 128)),
  )
  const seconds = (performance.now() - begun) / 1000
  const tokens = streams.reduce((sum, { tokens }) => sum + tokens, 0)
  console.log(
    `${name}: ${STREAMS} streams: ${(tokens / seconds).toFixed(0)} tokens/s in sum (${tokens} in all)`,
  )
}
await compareSeeds(options.url, Number(options.requests))

/** Seeded requests alone, then eight at a time twice: first in another order, then with unseeded ones among them. @param {string} url @param {number} count */
async function compareSeeds(url, count) {
  const started = Date.now() % 1000
  const ask = (/** @type {number} */ i) => {
    const content = `${started} Say something of ${text(i, i % 4 === 0 ? 300 : 12)}.`
    return complete(url, { messages: [{ role: 'user', content }], max_tokens: 24, temperature: 1, seed: i })
  }
  const alone = []
  for (let i = 0; i < count; i++) alone.push(await ask(i))
  for (const noise of [false, true]) {
    /** @type {{ text: string, cached: number }[]} */
    const loaded = []
    let next = count
    const client = async () => {
      while (next > 0) {
        const i = --next
        if (noise) await complete(url, { messages: [{ role: 'user', content: text(i, 40) }], max_tokens: 4 })
        loaded[i] = await ask(i)
      }
    }
    await Promise.all(Array.from({ length: STREAMS }, client))
    const equal = loaded.filter(({ text }, i) => text === alone[i]?.text).length
    const cached = loaded.reduce((sum, { cached }) => sum + cached, 0)
    console.log(
      `seeds, ${STREAMS} at a time${noise ? ' among others' : ''}: ${equal} of ${count} texts as alone (${cached} tokens of prompts were cached)`,
    )
    if (equal < count) process.exitCode = 1
  }
}

/** @param {string} url @param {object} body */
async function post(url, body) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'any', ...body }),
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return response
}

/** @param {string} url @param {object} body */
async function complete(url, body) {
  const { choices, usage } = await (await post(url, body)).json()
  return { text: choices[0].message.content, cached: usage.prompt_tokens_details?.cached_tokens ?? 0 }
}

/** A streamed reply: milliseconds to its first text, and how many tokens it and its prompt have. @param {string} url @param {string} content @param {number} max_tokens */
async function stream(url, content, max_tokens) {
  const begun = performance.now()
  const response = await post(url, {
    messages: [{ role: 'user', content }],
    max_tokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  })
  let first = 0
  let [prompt, tokens] = [0, 0]
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue
      const { choices, usage, error } = JSON.parse(line.slice(6))
      if (error) throw new Error(error.message)
      if (choices?.[0]?.delta?.content) first ||= performance.now() - begun
      if (usage) [prompt, tokens] = [usage.prompt_tokens, usage.completion_tokens]
    }
  }
  return { first, prompt, tokens }
}

/** Milliseconds until a reply begins. @param {string} url @param {string} content */
async function firstToken(url, content) {
  const { first } = await stream(url, content, 8)
  if (first > 0) return first
  throw new Error(`no text came in reply to "${content}"`)
}

/** @param {number[]} times */
function spread(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return `${median?.toFixed(0)} ms (${least?.toFixed(0)} to ${most?.toFixed(0)})`
}
