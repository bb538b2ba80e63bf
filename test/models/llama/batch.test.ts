/** Sequences that run together, share rows, or have room to spare get the numbers that each gets alone, bit for bit. */
import assert from 'node:assert/strict'
import { decoder } from '#src/models/llama/bindings.js'
import { floats, int64, type Session } from '#src/runtime/session.js'
import { servedEngine } from './engine.js'

const tokensOf = (sequence: number, count: number) =>
  Array.from({ length: count }, (_, i) => 1000 + (((sequence * 100 + i) * 7919) % 40000))

/** One run of slots in the order of the batch, `tokens` of each behind its `pasts`; the logits behind the last ones. */
async function run(
  session: Session,
  slots: readonly number[],
  pasts: readonly number[],
  tokens: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const rows = tokens[0]!.length
  const feeds = {
    [decoder.tokens]: int64(tokens.flat(), [slots.length, rows]),
    [decoder.pastLength]: int64(pasts),
    [decoder.logitRows]: int64(slots.map((_, i) => (i + 1) * rows - 1)),
  }
  const uses = slots.map((slot, i) => ({ slot, past: pasts[i]! }))
  const logits = floats(await session.run(feeds, uses, [decoder.logits]), decoder.logits)
  const size = logits.length / slots.length
  return slots.map((_, i) => logits.slice(i * size, (i + 1) * size))
}

/** assert.deepEqual takes minutes to tell how large arrays differ. */
function assertEqual(actual: Float32Array, wanted: Float32Array, what: string): void {
  const different = actual.filter((value, i) => value !== wanted[i]).length
  assert.equal(different, 0, `${what}: ${different} of ${wanted.length} logits differ`)
}

describe('models/llama: sequences in one session', () => {
  let session: Session
  before(async function () {
    this.timeout(60_000)
    session = await servedEngine().open(decoder.graph)
  })
  after(() => session?.dispose())
  afterEach(() => {
    for (let slot = 0; slot < 20; slot++) session.release(slot)
  })

  /** Slot 10 + i has the same sequence as slot i. */
  const lengths = [40, 7, 61, 25, 93]
  const prompts = async () => {
    for (const [i, length] of lengths.entries())
      for (const slot of [i, 10 + i]) await run(session, [slot], [0], [tokensOf(i, length)])
  }

  for (const slots of [
    [0, 1],
    [4, 0, 2],
    [3, 1, 4, 0, 2],
  ])
    it(`${slots.length} together are each as alone`, async () => {
      await prompts()
      for (const step of [0, 1]) {
        const lists = session.together(slots)
        assert.equal(lists.length, 1)
        const [list] = lists
        const pasts = list!.map((slot) => lengths[slot]! + step)
        const together = await run(
          session,
          list!,
          pasts,
          list!.map((slot) => [2000 + slot]),
        )
        for (const [i, slot] of list!.entries()) {
          const [alone] = await run(session, [10 + slot], [pasts[i]!], [[2000 + slot]])
          assertEqual(together[i]!, alone!, `slot ${slot}, step ${step}`)
        }
      }
    })

  it('go on where the rows of another end', async () => {
    const tokens = tokensOf(3, 50)
    await run(session, [0], [0], [tokens])
    assert.ok(session.reserve(1, 40))
    session.copy(0, 1, 40)
    const [behindCopy] = await run(session, [1], [40], [tokens.slice(40)])
    const [behindOwn] = await run(session, [0], [40], [tokens.slice(40)])
    assertEqual(behindCopy!, behindOwn!, 'behind the copy')
  })

  it('do not depend on how much room they have', async () => {
    session.reserve(1, 1000)
    for (const [past, tokens] of [
      [0, tokensOf(5, 128)],
      [128, tokensOf(6, 40)],
      [168, [77]],
      [169, [78]],
    ] as const) {
      const [narrow] = await run(session, [0], [past], [tokens])
      const [wide] = await run(session, [1], [past], [tokens])
      assertEqual(wide!, narrow!, `behind ${past}`)
    }
  })
})
