/** Every family for TensorRT: the rules of its parser in every precision, and the reference's numbers. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { logSumExp } from '#src/decoding/sampler.js'
import { decoder } from '#src/models/llama/bindings.js'
import { planLlama } from '#src/models/llama/build.js'
import { type Precision, precisions } from '#src/models/plan.js'
import { floats } from '#src/runtime/session.js'
import { violations } from '../../graph/tensorrt-rules.js'
import { smollm2 } from './engine.js'
import { assertEachAsAlone, openTensorrt, step, withPlan } from './tensorrt.js'
import { miniature, miniatures, writeCheckpoint } from './tiny.js'

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
/** The numbers of the others are those of every family's linear layers: here of the most unlike ones. */
const everywhere: readonly Precision[] = ['float32', 'float16']
const inEveryPrecision = ['Llama with biases', 'Gemma 3', 'Phi 4 mini']

function relativeError(actual: ArrayLike<number>, wanted: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(square(wanted.map((value, i) => value - actual[i]!)) / square(wanted))
}

describe('models/llama for TensorRT: the family', () => {
  for (const { name, config, tensors, prompt, logits } of miniatures)
    describe(name, () => {
      let folder: string
      before(() => {
        folder = writeCheckpoint(config, tensors())
      })

      for (const precision of precisions.tensorrt) {
        it(`${precision}: keeps the rules`, () =>
          withPlan(folder, precision, sizes, (planned) => assert.deepEqual(violations(planned), [])))

        if (everywhere.includes(precision) || inEveryPrecision.includes(name))
          it(`${precision}: has the reference's logits, in pieces`, async () => {
            const session = await openTensorrt(folder, precision, sizes)
            const check = async (past: number, count: number) => {
              const fetches = await step(session, [prompt.slice(past, past + count)], [past], 2)
              const error = relativeError(floats(fetches, decoder.logits), logits.get(past + count - 1)!)
              assert.ok(error < limits[precision], `${count} tokens behind ${past}: ${error}`)
            }
            let past = 0
            for (const count of [8, 1, 7, 8, 1, 7, 8]) {
              await check(past, count)
              past += count
            }
            // Rows behind the past length are there, but do not count.
            await check(15, 1)
            await session.dispose()
          })
      }
    })

  for (const name of ['Qwen 3', 'Gemma 2', 'Gemma 3'])
    it(`${name}: gives each of several sequences what it gives it alone`, async () => {
      const { config, tensors } = miniature(name)
      const session = await openTensorrt(writeCheckpoint(config, tensors()), 'float32', sizes)
      await assertEachAsAlone(session)
      await session.dispose()
    })

  it('finds the largest logits of each sequence, and the sum of all exponentials', async () => {
    const { config, tensors } = miniature('Gemma 2')
    const session = await openTensorrt(writeCheckpoint(config, tensors()), 'float32', sizes)
    const { logits, topIds, topLogits, logSumExp: sum } = decoder
    const outputs = [logits, topIds, topLogits, sum]
    const fetches = await step(session, [[1], [2], [3]], [0, 0, 0], 0, outputs)
    const all = floats(fetches, logits)
    for (const i of [0, 1, 2]) {
      const own = all.subarray(i * 96, (i + 1) * 96)
      const order = [...own.keys()].sort((a, b) => own[b]! - own[a]!).slice(0, 64)
      assert.deepEqual(Array.from(fetches[topIds]!.data.slice(i * 64, (i + 1) * 64), Number), order)
      assert.equal(floats(fetches, topLogits)[i * 64], own[order[0]!])
      assert.ok(Math.abs(floats(fetches, sum)[i]! - logSumExp(own)) < 1e-5)
    }
    await session.dispose()
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
