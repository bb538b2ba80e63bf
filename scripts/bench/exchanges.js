/**
 * Spoken exchanges with a running service: each clip is sent as a question, the spoken answer is transcribed by the
 * same service, and its words are compared with the answer's transcript. Prints the error rate, the times and, on
 * Linux, the memory of the process named.
 * usage: node scripts/bench/exchanges.js [URL [PID]]
 */
import { existsSync, readFileSync } from 'node:fs'

const [url = 'http://localhost:8000', pid] = process.argv.slice(2)
const clips = new URL('../../test/audio/clips/', import.meta.url)
const names = ['spk1_snt1', 'spk1_snt2', 'spk1_snt3', 'spk1_snt4', 'spk1_snt5', 'jfk']
const voices = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'fable', 'nova', 'onyx', 'sage', 'shimmer']

let errors = 0
let words = 0
const seconds = []
for (const [i, voice] of voices.entries()) {
  const clip = readFileSync(new URL(`${names[i % names.length]}.wav`, clips))
  const begun = performance.now()
  const answer = await message({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Say in one or two sentences what you think about this.' },
          inputAudio(clip.toString('base64')),
        ],
      },
    ],
    modalities: ['text', 'audio'],
    audio: { voice, format: 'wav' },
    seed: i,
  })
  seconds.push((performance.now() - begun) / 1000)
  const { transcript, data } = answer.audio
  const heard = await message({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'transcribe' }, inputAudio(data)] }],
  })
  const [said, understood] = [plain(transcript), plain(heard.content)]
  const wrong = distance(said, understood)
  errors += wrong
  words += said.length
  console.log(
    `${voice}: ${wrong} of ${said.length} words differ, ${seconds.at(-1)?.toFixed(1)} s\n  said:  ${transcript}\n  heard: ${heard.content}`,
  )
}
seconds.sort((a, b) => a - b)
console.log(
  `word error rate ${((100 * errors) / words).toFixed(1)} % over ${words} words in ${voices.length} replies`,
)
console.log(
  `an exchange takes ${seconds[5]?.toFixed(1)} s (median; ${seconds[0]?.toFixed(1)} to ${seconds.at(-1)?.toFixed(1)})`,
)
if (pid && existsSync(`/proc/${pid}/status`)) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  for (const [, name, kilobytes] of status.matchAll(/(VmHWM|VmRSS):\s+(\d+)/g))
    console.log(`${name} ${(Number(kilobytes) / 1024).toFixed(0)} MiB`)
}

/** @param {object} request */
async function message(request) {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  const body = await response.json()
  if (!response.ok) throw new Error(body.error.message)
  return body.choices[0].message
}

/** @param {string} data */
function inputAudio(data) {
  return { type: 'input_audio', input_audio: { data, format: 'wav' } }
}

/**
 * Words without case and punctuation.
 * @param {string} text
 */
function plain(text) {
  return text
    .toLowerCase()
    .replace(/[’']/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
}

/**
 * The least number of words to replace, insert or delete (Levenshtein).
 * @param {string[]} a
 * @param {string[]} b
 */
function distance(a, b) {
  let row = b.map((_, j) => j + 1)
  for (const [i, word] of a.entries()) {
    let [diagonal, left] = [i, i + 1]
    row = row.map((up, j) => {
      const cost = Math.min(up + 1, left + 1, diagonal + (word === b[j] ? 0 : 1))
      diagonal = up
      left = cost
      return cost
    })
  }
  return b.length === 0 ? a.length : row.at(-1)
}
