/**
 * The service's own engine: rates at the session, first tokens through the scheduler, with the service's default slots
 * and memory.
 * usage: node ours.js '{"engine": folder, "checkpoint": folder, "threads": 2}'
 */

import { openCheckpoint } from '../../../dist/checkpoint/checkpoint.js'
import { planLlama } from '../../../dist/models/llama/build.js'
import { capacityOf } from '../../../dist/models/llama/capacity.js'
import { readLlamaConfig } from '../../../dist/models/llama/config.js'
import { Scheduler } from '../../../dist/models/llama/scheduler.js'
import { onCpu, signatureOf } from '../../../dist/models/plan.js'
import { openSession } from '../../../dist/runtime/onnxruntime.js'
import { int64 } from '../../../dist/runtime/session.js'
import { firstTokens, prompt, rate, tell, workload } from './workload.js'

const { engine, checkpoint: folder, threads } = JSON.parse(process.argv[2])
const { streams, before, steps } = workload
const checkpoint = openCheckpoint(folder)
const signature = signatureOf(planLlama(folder, checkpoint, onCpu('int8')).graphs[0])
checkpoint[Symbol.dispose]()
const capacity = capacityOf(
  { manifest: { graphs: { decoder: signature } }, slots: streams, stateBytes: 2 ** 29 },
  readLlamaConfig(folder),
)
const session = await openSession(engine, 'decoder', signature, {
  threads,
  stateRows: capacity.context,
  stateBytes: capacity.stateBytes,
})

function run(slots, rows, past) {
  const feeds = {
    tokens: int64(
      slots.flatMap((slot) => rows.map((token) => token + slot)),
      [slots.length, rows.length],
    ),
    past_length: int64(slots.map(() => past)),
    logit_rows: int64(slots.map((_, i) => (i + 1) * rows.length - 1)),
  }
  return session.run(
    feeds,
    slots.map((slot) => ({ slot, past })),
    ['logits'],
  )
}

async function prefill(slot, count) {
  const tokens = prompt(count)
  for (let past = 0; past < count; past += capacity.chunk)
    await run([slot], tokens.slice(past, past + capacity.chunk), past)
}

const slots = Array.from({ length: streams }, (_, i) => i)
for (const slot of slots) await prefill(slot, before)
const [together] = session.together(slots)
const decode = (list) => (i) => run(list, [i + 1], before + i)
const rates = [
  await rate(128, () => prefill(streams, 128)),
  await rate(512, () => prefill(streams, 512)),
  await rate(1, decode([0]), steps),
  await rate(streams, decode(together), steps),
]

for (const slot of [...slots, streams]) session.release(slot)
const scheduler = new Scheduler(session, capacity)
const ask = (tokens) =>
  scheduler.run({
    prompt: tokens,
    replies: [{ needsRow: false, next: () => ({ kind: 'end' }) }],
    maxTokens: 1,
    signal: new AbortController().signal,
    started(cached) {
      if (cached > 0) throw new Error(`${cached} tokens of a prompt were not new`)
    },
  })
// No prompt begins like an earlier one: there is nothing to forget.
tell([
  ...rates,
  ...(await firstTokens(
    (_, tokens) => ask(tokens),
    () => {},
  )),
])
