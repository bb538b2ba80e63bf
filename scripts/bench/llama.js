#!/usr/bin/env node
/**
 * How fast the language model reads and writes, alone on the machine.
 *   node scripts/bench/llama.js [--form int8-bytes] [--threads 2] [--runs 9] [--checkpoint checkpoints/smollm2-135m-instruct]
 * Forms: float32, int8-blocks, int8-bytes, int8-digits (docs/cpu-forms.md); the served one if absent.
 * Prefill runs prompts as the service does, in pieces of 128; decoding goes on behind 200 tokens.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../../dist/checkpoint/checkpoint.js'
import { planLlama } from '../../dist/models/llama/build.js'
import { loadLlama } from '../../dist/models/llama/generate.js'
import { onCpu, signatureOf } from '../../dist/models/plan.js'
import { openSession } from '../../dist/runtime/onnxruntime.js'
import { int64 } from '../../dist/runtime/session.js'

const PIECE = 128

const { values: options } = parseArgs({
  options: {
    form: { type: 'string' },
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '9' },
    checkpoint: {
      type: 'string',
      default: fileURLToPath(new URL('../../checkpoints/smollm2-135m-instruct', import.meta.url)),
    },
  },
})
const runs = Number(options.runs)
const folder = mkdtempSync(join(tmpdir(), 'bench-llama-'))
try {
  await bench(build())
} finally {
  rmSync(folder, { recursive: true })
}

/** Writes the engine; returns its graph's signature. */
function build() {
  const started = performance.now()
  const checkpoint = openCheckpoint(options.checkpoint)
  const { form: linear } = options
  const plan = planLlama(options.checkpoint, checkpoint, onCpu(linear === 'float32' ? 'float32' : 'int8'), {
    linear,
  })
  const [planned] = plan.graphs
  const { graph } = planned
  graph.write(folder)
  for (const asset of plan.assets) cpSync(join(options.checkpoint, asset), join(folder, asset))
  checkpoint[Symbol.dispose]()
  print(`form ${graph.linear}, ${graph.size} nodes, ${Math.round(graph.bytes / 1e6)} MB: built in`, [
    performance.now() - started,
  ])
  return signatureOf(planned)
}

async function bench(signature) {
  const before = memory()
  let session
  const opening = []
  const open = async () => {
    const started = performance.now()
    session = await openSession(folder, 'decoder', signature, { threads: Number(options.threads) })
    opening.push(performance.now() - started)
    return session
  }
  const loading = performance.now()
  const model = await loadLlama({
    folder,
    slots: 1,
    stateBytes: 2 ** 29,
    open,
    manifest: { graphs: { decoder: signature } },
  })
  print('load (tokenizer, template, session)', [performance.now() - loading])
  print('  of which the session', opening)
  const opened = memory()

  await prefill(session, 128)
  for (const count of [128, 512]) {
    const times = await timed(runs, () => prefill(session, count))
    print(`prefill ${count}`, times, count)
  }
  await prefill(session, 200)
  const times = await timed(10 * runs, (i) => step(session, [i], 200 + i))
  print('decode behind 200', times, 1)
  const used = memory()
  console.log(
    `memory: anonymous ${opened.RssAnon - before.RssAnon} MB opened, ${used.RssAnon - before.RssAnon} MB used;`,
  )
  console.log(
    `        resident ${used.VmRSS - before.VmRSS} MB, of which mapped from files ${used.RssFile - before.RssFile}`,
  )
  await model.dispose()
}

async function prefill(session, count) {
  for (let past = 0; past < count; past += PIECE) {
    const piece = Array.from(
      { length: Math.min(PIECE, count - past) },
      (_, i) => 1000 + (((past + i) * 7919) % 40000),
    )
    await step(session, piece, past)
  }
}

function step(session, tokens, past) {
  const feeds = {
    tokens: int64(tokens, [1, tokens.length]),
    past_length: int64([past]),
    logit_rows: int64([tokens.length - 1]),
  }
  return session.run(feeds, [{ slot: 0, past }])
}

async function timed(count, work) {
  const times = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await work(i)
    times.push(performance.now() - started)
  }
  return times
}

/** Median and best of times in ms; with `tokens`, how many are handled per second. */
function print(what, times, tokens) {
  const sorted = times.toSorted((a, b) => a - b)
  const [best, median] = [sorted[0], sorted[Math.floor(sorted.length / 2)]]
  const rate = (ms) => (tokens ? ` = ${Math.round((tokens * 1000) / ms)} tokens/s` : '')
  console.log(
    `${what.padEnd(40)} ${median.toFixed(1)} ms${rate(median)}   (best ${best.toFixed(1)} ms${rate(best)})`,
  )
}

/** MB by Linux' names; zeros elsewhere. */
function memory() {
  let status = ''
  try {
    status = readFileSync('/proc/self/status', 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const size = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024)
  return { VmRSS: size('VmRSS'), RssAnon: size('RssAnon'), RssFile: size('RssFile') }
}
