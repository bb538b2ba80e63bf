#!/usr/bin/env node
/**
 * What choosing one token costs on the host, by vocabulary and by what is asked: µs, the median and the 95th percentile.
 *   node scripts/bench/choosing.js [--vocabulary 49152,151936] [--runs 300]
 * "row": from all logits; "top": from the 64 largest, as a GPU gives them, and the row where they do not decide.
 */
import { parseArgs } from 'node:util'
import { largest } from '../../dist/decoding/largest.js'
import { seededRandom } from '../../dist/decoding/rng.js'
import { logSumExp } from '../../dist/decoding/sampler.js'
import { TokenChooser } from '../../dist/models/llama/chooser.js'

const { values } = parseArgs({
  options: {
    vocabulary: { type: 'string', default: '49152,151936' },
    runs: { type: 'string', default: '300' },
  },
})
const runs = Number(values.runs)
const random = seededRandom(1)

/** Bell-shaped, with some tokens that stand out, as a language model's are. */
function logitsOf(length) {
  const logits = Float32Array.from({ length }, () => 5 * (random() + random() + random() + random() - 2))
  for (let i = 0; i < 40; i++) logits[(i * 997) % length] = 16 - i * 0.4
  return logits
}

const asked = {
  'the likeliest': { temperature: 0 },
  'temperature 1': {},
  'temperature 0.6, top_p 0.9': { temperature: 0.6, topP: 0.9 },
  'temperature 0.6, top_p 0.95, top_k 20': { temperature: 0.6, topP: 0.95, topK: 20 },
  'temperature 0.6, top_p 0.9, 5 logprobs': { temperature: 0.6, topP: 0.9, topLogprobs: 5 },
}
const plain = { temperature: 1, topP: 1, random, frequency: 0, presence: 0, repetition: 1, bias: [] }

for (const length of values.vocabulary.split(',').map(Number)) {
  const logits = logitsOf(length)
  const row = { kind: 'row', logits }
  const ids = largest(logits, 64)
  const top = {
    kind: 'top',
    ids,
    logits: Float32Array.from(ids, (id) => logits[id]),
    logSumExp: Math.fround(logSumExp(logits)),
  }
  for (const [name, options] of Object.entries(asked)) {
    const chooser = new TokenChooser({ ...plain, ...options }, [], length)
    report(`${length}, ${name}, row`, () => chooser.choose(row))
    if (!chooser.needsRow) report(`${length}, ${name}, top`, () => chooser.choose(top) ?? chooser.choose(row))
  }
}

function report(name, choose) {
  for (let run = 0; run < 60; run++) choose()
  const times = Array.from({ length: runs }, () => {
    const begun = performance.now()
    choose()
    return (performance.now() - begun) * 1000
  }).sort((one, other) => one - other)
  const at = (share) => times[Math.floor(times.length * share)].toFixed(0).padStart(6)
  console.log(`${name.padEnd(60)} ${at(0.5)} ${at(0.95)}`)
}
