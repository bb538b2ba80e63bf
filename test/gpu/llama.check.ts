/** SmolLM2's built engine against the reference's numbers, alone and in batches. */
import assert from 'node:assert/strict'
import { argmax, logSumExp } from '#src/decoding/sampler.js'
import { decoder } from '#src/models/llama/bindings.js'
import type { Precision } from '#src/runtime/manifest.js'
import { floats, int64, type Session } from '#src/runtime/session.js'
import { chats, type GoldenChat } from '../models/llama/golden.js'
import { measured, type OpenedEngine, openBuilt } from './engine.js'

/** Largest difference of a likely token's log-probability, and of margins below which two tokens may change places. */
const limits: Record<Precision, { logprob: number; margin: number }> = {
  float32: { logprob: 1e-2, margin: 0.01 },
  float16: { logprob: 0.1, margin: 0.1 },
  bfloat16: { logprob: 0.6, margin: 0.5 },
  int8: { logprob: 0.6, margin: 0.5 },
  int4: { logprob: 1.5, margin: 1.5 },
  fp8: { logprob: 1.5, margin: 1.5 },
}
const CHUNK = 128

describe('llama on the built engine', function () {
  this.timeout(600_000)
  let built: OpenedEngine
  let session: Session
  before(async () => {
    built = await openBuilt('llama')
    session = await built.context.open(decoder.graph)
  })
  after(async () => {
    await session?.dispose()
    await built?.engine.dispose()
  })

  /** One run of sequences of equally many new tokens; the logits behind the last of each. */
  async function step(
    rows: readonly (readonly number[])[],
    uses: readonly { slot: number; past: number }[],
  ): Promise<Float32Array[]> {
    const width = rows[0]!.length
    const feeds = {
      [decoder.tokens]: int64(rows.flat(), [rows.length, width]),
      [decoder.pastLength]: int64(uses.map(({ past }) => past)),
      [decoder.logitRows]: int64(rows.map((_, i) => (i + 1) * width - 1)),
    }
    const all = floats(await session.run(feeds, uses, [decoder.logits]), decoder.logits)
    const vocabulary = all.length / rows.length
    return rows.map((_, i) => all.slice(i * vocabulary, (i + 1) * vocabulary))
  }

  async function prefill(prompt: readonly number[], slot: number): Promise<Float32Array> {
    for (let past = 0; ; past += CHUNK) {
      const [logits] = await step([prompt.slice(past, past + CHUNK)], [{ slot, past }])
      if (past + CHUNK >= prompt.length) return logits!
    }
  }

  /** The logits of all steps with the golden's tokens as input. */
  async function alone({ prompt_ids, greedy_ids }: GoldenChat): Promise<Float32Array[]> {
    const logits = [await prefill(prompt_ids, 0)]
    for (const [i, token] of greedy_ids.slice(0, -1).entries())
      logits.push(...(await step([[token]], [{ slot: 0, past: prompt_ids.length + i }])))
    session.release(0)
    return logits
  }

  for (const chat of chats)
    it(`writes the tokens of "${chat.name}" with their probabilities`, async () => {
      const limit = limits[built.precision]
      let worst = 0
      let widest = 0
      for (const [i, row] of (await alone(chat)).entries()) {
        if (argmax(row) !== chat.greedy_ids[i]) widest = Math.max(widest, chat.margins[i]!)
        const all = logSumExp(row)
        for (const [k, id] of (chat.top10_ids[i] ?? []).slice(0, 5).entries())
          worst = Math.max(worst, Math.abs(row[id]! - all - chat.top10_logprobs[i]![k]!))
      }
      measured('largest difference of a log-probability', worst)
      measured('widest margin of a token that changed', widest)
      assert.ok(worst <= limit.logprob, `a log-probability is off by ${worst}`)
      assert.ok(widest <= limit.margin, `a token changed at a margin of ${widest}`)
    })

  it('gives every sequence of a batch what it has alone', async function () {
    const size = Math.min(session.signature.slots, chats.length)
    if (size < 2) return this.skip()
    const batch = chats.slice(0, size)
    const logits = []
    for (const [slot, { prompt_ids }] of batch.entries()) logits.push([await prefill(prompt_ids, slot)])
    for (let i = 0; i < 32; i++) {
      const uses = batch.map(({ prompt_ids }, slot) => ({ slot, past: prompt_ids.length + i }))
      const rows = await step(
        batch.map(({ greedy_ids }) => [greedy_ids[i]!]),
        uses,
      )
      for (const [slot, row] of rows.entries()) logits[slot]!.push(row)
    }
    let worst = 0
    for (const [slot, chat] of batch.entries()) {
      session.release(slot)
      const single = await alone(chat)
      for (const [i, row] of logits[slot]!.entries())
        worst = Math.max(worst, Math.abs(logSumExp(row) - logSumExp(single[i]!)))
    }
    measured(`largest difference in a batch of ${size}`, worst)
    assert.ok(worst <= limits[built.precision].logprob)
  })
})
