#!/usr/bin/env node
/**
 * How fast the voice speaks: a sentence of 25 words, per graph and as a whole, against the sound it makes.
 *   node scripts/bench/kokoro.js [--threads 2] [--runs 7] [--checkpoint checkpoints/kokoro-82m]
 * Real-time factor = seconds of work per second of sound: below 1 is faster than speaking.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../../dist/checkpoint/checkpoint.js'
import { planKokoro } from '../../dist/models/kokoro/build.js'
import { loadKokoro } from '../../dist/models/kokoro/speak.js'
import { onCpu, signatureOf } from '../../dist/models/plan.js'
import { openSession } from '../../dist/runtime/onnxruntime.js'

const text =
  'The old lighthouse keeper climbed the narrow stairs every evening, lit the lamp, and watched the ships pass ' +
  'slowly through the fog until morning came.'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '7' },
    checkpoint: {
      type: 'string',
      default: fileURLToPath(new URL('../../checkpoints/kokoro-82m', import.meta.url)),
    },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'bench-kokoro-'))
try {
  await bench(build())
} finally {
  rmSync(folder, { recursive: true })
}

/** Writes the graphs; returns their signatures by name. */
function build() {
  const started = performance.now()
  const checkpoint = openCheckpoint(options.checkpoint)
  const { graphs } = planKokoro(options.checkpoint, checkpoint, onCpu('float32'))
  for (const { graph } of graphs) graph.write(folder)
  checkpoint[Symbol.dispose]()
  print('build', performance.now() - started)
  return Object.fromEntries(graphs.map((planned) => [planned.graph.name, signatureOf(planned)]))
}

async function bench(signatures) {
  /** Milliseconds of every run, per graph. */
  const spent = { text: [], prosody: [], vocoder: [] }
  const open = async (name) => {
    const started = performance.now()
    const session = await openSession(folder, name, signatures[name], { threads: Number(options.threads) })
    print(`open ${name}`, performance.now() - started)
    return timed(session, spent[name])
  }
  const before = process.memoryUsage.rss()
  const started = performance.now()
  const kokoro = await loadKokoro({ folder: options.checkpoint, manifest: {}, stateBytes: 0, open })
  print('load in all, lexicon included', performance.now() - started)
  const loaded = process.memoryUsage.rss()

  const firsts = []
  const totals = []
  let seconds = 0
  for (let run = 0; run <= Number(options.runs); run++) {
    const begun = performance.now()
    const pieces = []
    for await (const event of kokoro.run(
      { text, voice: 'af_heart', speed: 1 },
      new AbortController().signal,
    )) {
      if (event.kind === 'end') seconds = event.seconds
      else pieces.push(performance.now() - begun)
    }
    if (run === 0)
      for (const times of Object.values(spent)) times.length = 0 // the first run warms up
    else {
      firsts.push(pieces[0])
      totals.push(performance.now() - begun)
    }
  }
  for (const [name, times] of Object.entries(spent)) {
    const pieces = times.length / Number(options.runs)
    const perRun = Array.from({ length: Number(options.runs) }, (_, run) =>
      times.slice(run * pieces, (run + 1) * pieces).reduce((sum, ms) => sum + ms, 0),
    )
    print(`${name}, ${pieces} pieces`, median(perRun))
  }
  print('first sound', median(firsts))
  print(`whole sentence, ${seconds.toFixed(2)} s of sound`, median(totals))
  console.log(`real-time factor ${(median(totals) / 1000 / seconds).toFixed(3)}`)
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`
  console.log(`memory: ${megabytes(loaded - before)} to load, ${megabytes(process.memoryUsage.rss())} now`)
  await kokoro.dispose()
}

/** The session, its runs measured. */
function timed(session, times) {
  return {
    signature: session.signature,
    async run(...call) {
      const started = performance.now()
      const result = await session.run(...call)
      times.push(performance.now() - started)
      return result
    },
    release: (slot) => session.release(slot),
    dispose: () => session.dispose(),
  }
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

function print(what, ms) {
  console.log(`${ms.toFixed(0).padStart(7)} ms  ${what}`)
}
