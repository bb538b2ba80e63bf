/**
 * What Whisper takes on this machine: node scripts/bench/whisper.js [int8|float32] [recording.wav]
 * Builds an engine in a temporary folder, then prints load times, memory, medians of each part and the real-time factor
 * of the whole. Needs a compiled tree (npm run build); run it on an idle machine.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const source = join(root, 'checkpoints', 'whisper-base')
const THREADS = 2

/** @typedef {import('../../dist/runtime/session.js').GraphSignature} GraphSignature */

/** @param {string} folder @param {'int8' | 'float32'} precision */
async function build(folder, precision) {
  const { openCheckpoint } = await import('../../dist/checkpoint/checkpoint.js')
  const { onCpu, signatureOf } = await import('../../dist/models/plan.js')
  const { planWhisper } = await import('../../dist/models/whisper/build.js')
  const { graphs, assets } = planWhisper(source, openCheckpoint(source), onCpu(precision))
  /** @type {Record<string, GraphSignature>} */
  const signatures = {}
  for (const planned of graphs) {
    planned.graph.write(folder)
    signatures[planned.graph.name] = signatureOf(planned)
  }
  for (const asset of assets) cpSync(join(source, asset), join(folder, asset))
  writeFileSync(join(folder, 'signatures.json'), JSON.stringify(signatures))
}

/** @param {number[]} times */
const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0

/** @param {string} name @param {number} times @param {() => Promise<unknown>} run */
async function timed(name, times, run) {
  await run()
  const taken = []
  for (let i = 0; i < times; i++) {
    const begun = performance.now()
    await run()
    taken.push(performance.now() - begun)
  }
  const all = `least ${Math.min(...taken).toFixed(1)}, most ${Math.max(...taken).toFixed(1)} of ${times}`
  console.log(`${name.padEnd(34)} ${median(taken).toFixed(1).padStart(8)} ms  (${all})`)
  return median(taken)
}

/** @param {string} folder @param {string} recording */
async function measure(folder, recording) {
  const { loadWhisper, openWhisper } = await import('../../dist/models/whisper/transcribe.js')
  const { Recording } = await import('../../dist/models/whisper/mel.js')
  const { Sequence } = await import('../../dist/models/whisper/sequence.js')
  const { openSession } = await import('../../dist/runtime/onnxruntime.js')
  const { decodeRecording } = await import('../../dist/audio/decode.js')
  const audio = await decodeRecording(readFileSync(recording), { maxSeconds: 7200 }, 'recording')
  /** @type {Record<string, GraphSignature>} */
  const signatures = JSON.parse(readFileSync(join(folder, 'signatures.json'), 'utf8'))

  const before = process.memoryUsage().rss
  /** @type {import('../../dist/runtime/onnxruntime.js').Residents} */
  const residents = new Map()
  const context = /** @type {import('../../dist/models/model.js').ModelContext} */ ({
    folder,
    open: async (/** @type {string} */ graph) => {
      const begun = performance.now()
      const session = await openSession(folder, graph, signatures[graph], { threads: THREADS, residents })
      console.log(`load ${graph.padEnd(29)} ${(performance.now() - begun).toFixed(1).padStart(8)} ms`)
      return session
    },
  })
  const begun = performance.now()
  const whisper = await openWhisper(context)
  const model = await loadWhisper({ ...context, open: async (graph) => whisper[graph] })
  console.log(
    `${'load, with the tokenizer'.padEnd(34)} ${(performance.now() - begun).toFixed(1).padStart(8)} ms`,
  )
  const megabytes = () => `${((process.memoryUsage().rss - before) / 1e6).toFixed(0)} MB`
  console.log(`memory of the loaded model: ${megabytes()}`)

  const signal = new AbortController().signal
  const clip = await Recording.open(whisper.mel, whisper.config, audio, signal)
  const { feeds } = await clip.window(0)
  if (!feeds) throw new Error(`${recording} is silent`)
  const uses = [{ slot: 0, past: 0 }]
  await timed('mel, 30 s', 9, () => clip.window(0))
  await timed('encoder with cross K/V, 30 s', 7, () => whisper.encoder.run(feeds, uses))
  const sequence = new Sequence(whisper.decoder, 0)
  for (const rows of [3, 50, 227])
    await timed(`decoder, prompt of ${rows}`, 5, () => sequence.feed(Array(rows).fill(400), 0, [rows - 1]))
  await timed('decoder, one step after 32', 50, () => sequence.feed([400], 32, [0]))

  let steps = 0
  let text = ''
  const taken = await timed('whole recording', 5, async () => {
    for await (const event of model.run({ audio, language: 'en' }, signal))
      if (event.kind === 'end') {
        steps = event.tokens
        text = event.text
      }
  })
  const seconds = audio.length / 16000
  console.log(
    `${seconds.toFixed(1)} s of audio, ${steps} tokens: real-time factor ${(taken / 1000 / seconds).toFixed(3)}`,
  )
  console.log(`memory after that: ${megabytes()}\n${text}`)
}

const [precision = 'int8', recording = join(root, 'test', 'audio', 'clips', 'jfk.wav'), into] =
  process.argv.slice(2)
if (precision !== 'int8' && precision !== 'float32') throw new Error(`no such precision: ${precision}`)
if (into) await build(into, precision)
else {
  const folder = mkdtempSync(join(tmpdir(), 'whisper-bench-'))
  try {
    // In a process of its own, so that its memory is not counted.
    const self = fileURLToPath(import.meta.url)
    const { status } = spawnSync(process.execPath, [self, precision, recording, folder], { stdio: 'inherit' })
    if (status !== 0) throw new Error('the engine can not be built')
    await measure(folder, recording)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
