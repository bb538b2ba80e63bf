/** Every style of the family for TensorRT, in every precision: the rules of its parser, and the reference's numbers. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { logSumExp } from '#src/decoding/sampler.js'
import { decoder } from '#src/models/llama/bindings.js'
import { planLlama } from '#src/models/llama/build.js'
import { parseLlamaConfig } from '#src/models/llama/config.js'
import { type Precision, precisions } from '#src/models/plan.js'
import { floats, type Session } from '#src/runtime/session.js'
import { violations } from '../../graph/tensorrt-rules.js'
import { smollm2 } from './engine.js'
import { largestDifference } from './golden.js'
import { continuous, openTensorrt, step, withPlan } from './tensorrt.js'
import { randomTensors, referenceLogits, styles, writeCheckpoint } from './tiny.js'

const tokens = Array.from({ length: 21 }, (_, i) => (i * 37 + 11) % 80)
const sizes = { slots: 4, stateRows: 64 }
/** What a precision may lose of random weights (root of the mean square, relative); measured: about half. */
const limits: Record<(typeof precisions)['tensorrt'][number], number> = {
  float32: 1e-5,
  float16: 8e-3,
  bfloat16: 6e-2,
  int8: 4e-2,
  int4: 0.9,
  fp8: 0.35,
}

function relativeError(actual: ArrayLike<number>, wanted: readonly number[]): number {
  const square = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(square(wanted.map((value, i) => value - actual[i]!)) / square(wanted))
}

describe('models/llama for TensorRT: the family', () => {
  for (const [style, json] of Object.entries(styles))
    describe(style, () => {
      const tensors = randomTensors(json)
      const folder = writeCheckpoint(json, tensors)
      const wanted = referenceLogits(parseLlamaConfig(json, 'config.json'), tensors, tokens)

      for (const precision of precisions.tensorrt) {
        it(`${precision}: keeps the rules`, () =>
          withPlan(folder, precision, sizes, (planned) => assert.deepEqual(violations(planned), [])))

        it(`${precision}: is the reference's mathematics, in pieces`, async () => {
          const session = await openTensorrt(folder, precision, sizes)
          const check = async (past: number, count: number) => {
            const fetches = await step(session, [tokens.slice(past, past + count)], [past], 2)
            const error = relativeError(floats(fetches, decoder.logits), wanted[past + count - 1]!)
            assert.ok(error < limits[precision], `${count} tokens behind ${past}: ${error}`)
          }
          let past = 0
          for (const count of [5, 1, 1, 9, 5]) {
            await check(past, count)
            past += count
          }
          // Rows behind the past length are there, but do not count.
          await check(7, 1)
          await session.dispose()
        })
      }
    })

  describe('with several sequences', () => {
    const json = styles['Qwen 3']!
    const sequences = [3, 12, 7].map((length, i) => ({
      prompt: Array.from({ length }, (_, k) => (k * 31 + 7 * i) % 80),
      reply: Array.from({ length: 5 }, (_, k) => (k * 17 + i) % 80),
    }))
    let session: Session
    before(async () => {
      session = await openTensorrt(writeCheckpoint(json, randomTensors(json)), 'float32', sizes)
    })
    after(() => session?.dispose())

    it('gives each what it gives it alone', async () => {
      const together = await continuous(session, sequences, { steps: 6 })
      for (const [i, sequence] of sequences.entries()) {
        for (const slot of [0, 1, 2]) session.release(slot)
        const [alone] = await continuous(session, [sequence], { steps: 6 })
        for (const [k, logits] of alone!.entries())
          assert.ok(largestDifference(together[i]![k]!, logits) < 1e-5, `sequence ${i}, step ${k}`)
      }
    })

    it('finds the largest logits of each, and the sum of all exponentials', async () => {
      const { logits, topIds, topLogits, logSumExp: sum } = decoder
      const outputs = [logits, topIds, topLogits, sum]
      const fetches = await step(session, [[1], [2], [3]], [0, 0, 0], 0, outputs)
      const all = floats(fetches, logits)
      for (const i of [0, 1, 2]) {
        const own = all.subarray(i * 80, (i + 1) * 80)
        const order = [...own.keys()].sort((a, b) => own[b]! - own[a]!).slice(0, 64)
        assert.deepEqual(Array.from(fetches[topIds]!.data.slice(i * 64, (i + 1) * 64), Number), order)
        assert.equal(floats(fetches, topLogits)[i * 64], own[order[0]!])
        assert.ok(Math.abs(floats(fetches, sum)[i]! - logSumExp(own)) < 1e-5)
      }
    })
  })

  describe('is laid out', () => {
    const plan = (slots: number, stateBytes: number, precision: Precision = 'float16') => {
      using weights = openCheckpoint(smollm2)
      return planLlama(smollm2, weights, { target: 'tensorrt', precision, slots, stateBytes }).graphs[0]!
    }
    const row = 30 * 2 * 3 * 64 * 2

    it('for the memory that its slots have', () => {
      const { graph, slots, stateRows, state, profiles } = plan(8, 8 * 1000 * row)
      assert.deepEqual([slots, stateRows, state!.length], [8, 960, 60])
      assert.deepEqual(graph.inputs.find(({ name }) => name === 'past.0.key')!.dims, ['batch', 3, 960, 64])
      assert.deepEqual(
        profiles!.map(({ sizes }) => [sizes.batch, sizes.rows, sizes.wanted]),
        [
          [
            [1, 8, 8],
            [1, 1, 1],
            [1, 8, 8],
          ],
          [
            [1, 1, 1],
            [1, 128, 512],
            [1, 1, 1],
          ],
        ],
      )
      assert.equal(plan(8, 8 * 1000 * row, 'float32').stateRows, 448)
      assert.equal(plan(1, 2 ** 40).stateRows, 8192)
    })

    it('unless there is too little', () => {
      assert.throws(() => plan(8, 8 * 63 * row), {
        name: 'SetupError',
        message: /KV_MEMORY of 11612160 bytes gives each of 8 sequences \(SLOTS\) 63 tokens of 23040 bytes/,
      })
    })
  })
})
