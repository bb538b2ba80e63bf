/**
 * Medians of the engines' runs, one engine after another: docs/gpu-estimate.md has what was computed for them.
 * usage: node scripts/gpu-check/speed.js
 */
import { join } from 'node:path'
import { readConfig } from '../../dist/config.js'
import { readConfig as readKokoroConfig } from '../../dist/models/kokoro/config.js'
import { openEngine } from '../../dist/runtime/engine.js'
import { float32, floats, int64 } from '../../dist/runtime/session.js'
import { listEngines, readManifest } from '../../dist/runtime/store.js'

/** @typedef {import('../../dist/runtime/session.js').Session} Session */
/** @typedef {{ folder: string, open: (graph: string) => Promise<Session> }} Built */

const { engines, runtime, threads, device, tensorrtLibraries: libraries } = readConfig(process.env)
const RUNS = runtime === 'tensorrt' ? 50 : 3

/** @param {string} what @param {() => Promise<unknown>} run @param {(seconds: number) => string} [meaning] */
async function timed(what, run, meaning) {
  for (let i = 0; i < 2; i++) await run()
  const times = []
  for (let i = 0; i < RUNS; i++) {
    const begun = performance.now()
    await run()
    times.push((performance.now() - begun) / 1000)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor(RUNS / 2)] ?? 0
  const spread = `${((times[0] ?? 0) * 1e3).toFixed(2)} to ${((times.at(-1) ?? 0) * 1e3).toFixed(2)}`
  console.log(
    `${what.padEnd(44)} ${(median * 1e3).toFixed(2).padStart(9)} ms (${spread})${meaning ? `  ${meaning(median)}` : ''}`,
  )
}

/** The sizes of a batch that an engine takes: powers of two up to its slots. @param {Session} session */
const batches = ({ signature: { slots } }) =>
  [1, 2, 4, 8, 16, 32, 64, 128, 256].filter((size) => size <= Math.max(slots, 1))
const slotsOf = (/** @type {number} */ batch, /** @type {number} */ past) =>
  Array.from({ length: batch }, (_, slot) => ({ slot, past }))

/** @param {Built} built */
async function llama({ open }) {
  const session = await open('decoder')
  const run = (/** @type {number} */ batch, /** @type {number} */ rows, /** @type {number} */ past) => {
    const feeds = {
      tokens: int64(Array(batch * rows).fill(400), [batch, rows]),
      past_length: int64(Array(batch).fill(past)),
      logit_rows: int64(Array.from({ length: batch }, (_, i) => (i + 1) * rows - 1)),
    }
    return session.run(feeds, slotsOf(batch, past), ['logits'])
  }
  await timed(
    'llama: prefill of 128',
    () => run(1, 128, 0),
    (s) => `${(128 / s).toFixed(0)} tokens/s`,
  )
  const { stateRows } = session.signature
  const before = Math.min(512, 128 * Math.floor((stateRows - 1) / 128))
  for (let past = 0; past < before; past += 128)
    for (const { slot } of slotsOf(batches(session).at(-1) ?? 1, 0))
      await session.run(prefill(past), [{ slot, past }], ['logits'])
  for (const batch of batches(session))
    await timed(
      `llama: decode, batch ${batch}, ${before} tokens before`,
      () => run(batch, 1, before),
      (s) => `${(batch / s).toFixed(0)} tokens/s`,
    )
}

/** @param {number} past */
const prefill = (past) => ({
  tokens: int64(Array(128).fill(400), [1, 128]),
  past_length: int64([past]),
  logit_rows: int64([127]),
})

/** @param {Built} built */
async function whisper({ open }) {
  const [encoder, decoder] = [await open('encoder'), await open('decoder')]
  const [, mels, frames] = encoder.signature.inputs.find(({ name }) => name === 'log_mel')?.dims ?? []
  const size = Number(mels) * Number(frames)
  const encode = (/** @type {number} */ batch) =>
    encoder.run(
      {
        log_mel: float32(new Float32Array(batch * size).fill(-3), [batch, Number(mels), Number(frames)]),
        floor: float32(new Float32Array(batch).fill(-8), [batch]),
        frames: int64(Array(batch).fill(Number(frames))),
      },
      slotsOf(batch, 0),
      [],
    )
  for (const batch of batches(encoder)) {
    await timed(
      `whisper: encoder, batch ${batch}`,
      () => encode(batch),
      (s) => `${((30 * batch) / s).toFixed(0)} s of sound a second`,
    )
    const feeds = {
      tokens: int64(Array(batch).fill(400), [batch, 1]),
      past_length: int64(Array(batch).fill(32)),
      logit_rows: int64([...Array(batch).keys()]),
    }
    const prompt = {
      tokens: int64(Array(33).fill(400), [1, 33]),
      past_length: int64([0]),
      logit_rows: int64([32]),
    }
    for (const use of slotsOf(batch, 0)) await decoder.run(prompt, [use])
    await timed(
      `whisper: decoder step, batch ${batch}`,
      () => decoder.run(feeds, slotsOf(batch, 32)),
      (s) => `${(batch / s).toFixed(0)} tokens/s`,
    )
  }
}

/** @param {Built} built */
async function kokoro({ folder, open }) {
  const { frameSamples, style } = readKokoroConfig(folder)
  const [text, prosody, vocoder] = [await open('text'), await open('prosody'), await open('vocoder')]
  const styles = float32(new Float32Array(style).fill(0.1), [1, style])
  for (const ids of [24, 100, 160]) {
    const spoken = await text.run({
      ids: int64(
        Array.from({ length: ids }, (_, i) => (i % 40) + 16),
        [1, ids],
      ),
      style: styles,
    })
    // three frames an id: 13 a second, as English has
    const index = int64(Array.from({ length: 3 * ids }, (_, i) => Math.floor(i / 3)))
    const samples = 3 * ids * frameSamples
    const noise = float32(new Float32Array(samples), [1, samples])
    const { features, encoded } = spoken
    if (!features || !encoded) throw new Error('the text engine gives no features')
    const speak = async () => {
      await text.run({
        ids: int64(
          Array.from({ length: ids }, (_, i) => (i % 40) + 16),
          [1, ids],
        ),
        style: styles,
      })
      const { f0, energy } = await prosody.run({ features, index, style: styles })
      if (!f0 || !energy) throw new Error('the prosody engine gives no curves')
      return floats(await vocoder.run({ encoded, index, f0, energy, style: styles, noise }), 'audio')
    }
    await timed(
      `kokoro: ${(samples / 24000).toFixed(1)} s of sound from ${ids} ids`,
      speak,
      (s) => `real-time factor ${(s / (samples / 24000)).toFixed(4)}`,
    )
  }
}

const families = { llama, whisper, kokoro }
for (const name of listEngines(join(engines, runtime))) {
  const folder = join(engines, runtime, name)
  const manifest = readManifest(folder)
  const engine = await openEngine(folder, manifest, { threads, device, libraries })
  /** @type {Session[]} */
  const sessions = []
  const open = async (/** @type {string} */ graph) => {
    const session = await engine.open(graph)
    sessions.push(session)
    return session
  }
  await families[manifest.family]({ folder, open })
  const memory = engine.memory()
  if (memory)
    console.log(
      `${name} has taken ${(memory.taken / 1e6).toFixed(0)} MB, ${(memory.free / 1e6).toFixed(0)} MB are free`,
    )
  for (const session of sessions) await session.dispose()
  await engine.dispose()
}
