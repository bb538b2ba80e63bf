/**
 * Every storage in every form on both targets, against the product with the values that the checkpoint has. Errors are
 * the root of the mean square, relative to that of the result.
 */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import type { CpuLinearForm, LinearForm, Weight } from '#src/graph/graph.js'
import { linear } from '#src/graph/linear.js'
import { embedding, tableProduct } from '#src/graph/tables.js'
import { blockLayout } from '#src/graph/weight.js'
import { float32, int64 } from '#src/runtime/session.js'
import { evaluateTensorrt } from './both-targets.js'
import { evaluate, floatWeight, weightsOf } from './evaluate.js'
import { relativeError, wantedProduct } from './reference.js'
import { storages, storedWeight } from './stored.js'

const random = seededRandom(23)
/** Three blocks of 128: an odd number, so that packed zero points have rows of their own. */
const K = 384
const rows = 3
const weight = (storage: string, N = 6) => storedWeight(storage, N, K, random)

/** Whole numbers of which every block reaches 127: int8 activations have them exactly. */
const wholeNumbers = () =>
  Float32Array.from({ length: rows * K }, (_, i) => (i % 16 === 0 ? 127 : Math.round((random() - 0.5) * 254)))
const anyNumbers = () => Float32Array.from({ length: rows * K }, () => random() + random() + random() - 1.5)

async function product(
  target: 'onnxruntime' | 'tensorrt',
  form: LinearForm,
  x: Float32Array,
  weights: readonly Weight[],
): Promise<Float32Array> {
  const tensors = weightsOf(Object.fromEntries(weights.map((weight, i) => [`w${i}.weight`, weight])))
  const run = target === 'tensorrt' ? evaluateTensorrt : evaluate
  const { y } = await run(
    { x: float32(x, [rows, K]) },
    (_, { x }) => ({ y: [linear(x!, ...weights.map((_, i) => `w${i}`)), ['M', 'N']] }),
    { weights: tensors, linear: form },
  )
  return y!.data as Float32Array
}

const exact = 1e-5
/** The error that a form may make of a storage's weights, its activations being exact. */
function cpuLimit(form: CpuLinearForm, storage: string): number {
  const { bits, offset } = blockLayout(storage)!
  if (form === 'float32' || form === 'int8-blocks') return exact
  if (form === 'int8-digits') return 1.2e-2
  return offset === 'min' ? (bits === 4 ? 4e-3 : 5e-3) : exact
}
function tensorrtLimit(form: LinearForm, storage: string): number {
  const { bits } = blockLayout(storage)!
  if (form === 'float32' || (form === 'int4' && bits === 4)) return exact
  if (form === 'fp8') return 4e-2
  return form === 'int4' && bits === 8 ? 0.15 : 1.2e-2
}

describe('graph: storages', () => {
  const cpuForms = ['float32', 'int8-blocks', 'int8-bytes', 'int8-digits'] as const
  for (const form of cpuForms)
    it(`onnxruntime ${form}: every storage within its error`, async () => {
      for (const storage of storages) {
        const stored = weight(storage)
        const x = form === 'int8-digits' ? anyNumbers() : wholeNumbers()
        const error = relativeError(
          await product('onnxruntime', form, x, [stored]),
          wantedProduct(x, [stored]),
        )
        assert.ok(error < cpuLimit(form, storage), `${storage}: ${error}`)
        // Of any numbers, the activations lose the most.
        const y = anyNumbers()
        const loss = relativeError(
          await product('onnxruntime', form, y, [stored]),
          wantedProduct(y, [stored]),
        )
        assert.ok(loss < 2e-2, `${storage}: ${loss}`)
      }
    })

  it('onnxruntime int8-blocks: errors of activations do not add up where a minimum moves the weights', async () => {
    // All are rounded downwards, by nearly half a step.
    const x = Float32Array.from({ length: rows * K }, (_, i) => (i % 16 === 0 ? 127 : 40.45))
    for (const storage of ['Q4_1', 'Q4_K', 'Q5_1', 'Q5_K']) {
      const stored = weight(storage, 64)
      const loss = relativeError(
        await product('onnxruntime', 'int8-blocks', x, [stored]),
        wantedProduct(x, [stored]),
      )
      assert.ok(loss < 2e-2, `${storage}: ${loss}`)
    }
  })

  for (const form of ['float32', 'int8', 'int4', 'fp8'] as const)
    it(`tensorrt ${form}: every storage within its error`, async () => {
      for (const storage of storages) {
        const stored = weight(storage)
        const x = anyNumbers()
        const error = relativeError(await product('tensorrt', form, x, [stored]), wantedProduct(x, [stored]))
        assert.ok(error < tensorrtLimit(form, storage), `${storage}: ${error}`)
      }
    })

  it('stacks weights of several storages, each in its own form', async () => {
    const plain = floatWeight(
      [2, K],
      Float32Array.from({ length: 2 * K }, () => random() - 0.5),
    )
    const stacks = [
      ['Q4_K', 'Q4_K', 'Q6_K'],
      ['Q6_K', 'Q8_0', 'Q5_0'],
      ['U4/128', 'I4/64', 'U4/32', 'Q4_1'],
    ].map((names) => names.map((storage) => weight(storage)))
    const x = wholeNumbers()
    for (const stack of [...stacks, [plain, weight('U4/128'), plain], [plain, weight('Q5_K')]]) {
      const wanted = wantedProduct(x, stack)
      const error = async (target: 'onnxruntime' | 'tensorrt', form: LinearForm) =>
        relativeError(await product(target, form, x, stack), wanted)
      const names = stack.map(({ storage }) => storage).join(', ')
      const blocks = await error('onnxruntime', 'int8-blocks')
      assert.ok(blocks < exact, `${names}: ${blocks}`)
      for (const form of ['int8-bytes', 'int8-digits'] as const) {
        const loss = await error('onnxruntime', form)
        assert.ok(loss < 1.2e-2, `${form} ${names}: ${loss}`)
      }
      const four = await error('tensorrt', 'int4')
      assert.ok(
        four < (stack.includes(plain) || names.includes('Q8_0') ? 0.1 : 1e-2),
        `int4 ${names}: ${four}`,
      )
    }
  })

  for (const form of cpuForms)
    it(`${form}: looks up rows of every storage, and shares the table with the output matrix`, async () => {
      const ids = [3, 7, 0, 3]
      for (const storage of storages) {
        const table = weight(storage, 8)
        let bytes = 0
        const { found, logits } = await evaluate(
          { ids: int64(ids) },
          (g, { ids }) => {
            const x = embedding(g, 'table', ids!)
            const before = g.bytes
            const y = tableProduct(x, 'table')
            bytes = g.bytes - before
            return { found: [x, ['M', K]], logits: [y, ['M', 'V']] }
          },
          { weights: weightsOf({ 'table.weight': table }), linear: form },
        )
        const floats = table.floats()
        const wanted = Float32Array.from(ids.flatMap((id) => [...floats.slice(id * K, (id + 1) * K)]))
        const limit = form === 'int8-digits' ? cpuLimit('int8-bytes', storage) : cpuLimit(form, storage)
        const error = relativeError(found!.data as Float32Array, wanted)
        assert.ok(error < limit, `${storage}: ${error}`)
        const loss = relativeError(logits!.data as Float32Array, wantedProduct(wanted, [table]))
        assert.ok(loss < 1.5e-2, `${storage}: ${loss}`)
        // Shapes and the like; digits and floats are laid out anew.
        if (form.startsWith('int8-b')) assert.ok(bytes < 100, `${storage}: ${bytes}`)
      }
    })
})
