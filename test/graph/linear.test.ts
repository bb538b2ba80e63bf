/**
 * The forms of linear layers against the product with the dequantised weights in double precision. Errors are the
 * root of the mean square, relative to that of the result.
 */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { seededRandom } from '#src/decoding/rng.js'
import { type CpuLinearForm, Graph, type Weight } from '#src/graph/graph.js'
import { linear } from '#src/graph/linear.js'
import { blockForm, byteRows, packedBlocks } from '#src/graph/packing.js'
import { embedding, tableProduct } from '#src/graph/tables.js'
import { float32, int64 } from '#src/runtime/session.js'
import type { BlockNumbers } from '#src/weight-numbers.js'
import { checkpoint } from '../root.js'
import { evaluate, floatWeight, weightsOf } from './evaluate.js'
import { relativeError, wantedProduct } from './reference.js'

const forms: readonly CpuLinearForm[] = ['float32', 'int8-blocks', 'int8-bytes', 'int8-digits']
const random = seededRandom(3)
/** Roughly normal, of variance 1. */
const normal = () => Math.sqrt(12 / 4) * (random() + random() + random() + random() - 2)
const rows = 5

const language = openCheckpoint(checkpoint('smollm2-135m-instruct'))
const hearing = openCheckpoint(checkpoint('whisper-base'))
const real = {
  Q4_1: ['blk.3.attn_q.weight', 'blk.3.attn_v.weight', 'blk.3.attn_output.weight'].map((name) =>
    language.tensor(name),
  ),
  I8: ['fc1', 'self_attn.q_proj'].map((name) => hearing.tensor(`model.decoder.layers.1.${name}.weight`)),
}

/** The first rows of a tensor of blocks. */
function head(tensor: Weight, count: number): Weight {
  const columns = tensor.dims[1]!
  const stored = tensor.quantised() as BlockNumbers
  const values = stored.values.slice(0, count * columns)
  const blocks = (count * columns) / 32
  const scale = stored.scale.slice(0, blocks)
  const min = stored.min?.slice(0, blocks) ?? null
  return {
    dims: [count, columns],
    storage: tensor.storage,
    floats: () => Float32Array.from(values, (v, i) => v * scale[i >> 5]! + (min?.[i >> 5] ?? 0)),
    quantised: () => ({ ...stored, values, scale, min }),
  }
}
const q8 = head(language.tensor('token_embd.weight'), 200)

async function product(
  form: CpuLinearForm,
  x: Float32Array,
  weights: readonly Weight[],
): Promise<Float32Array> {
  const tensors = Object.fromEntries(weights.map((weight, i) => [`layer.w${i}.weight`, weight]))
  const K = weights[0]!.dims[1]!
  const { y } = await evaluate(
    { x: float32(x, [x.length / K, K]) },
    (g, { x }) => ({
      y: [g.scope('layer', () => linear(x!, ...weights.map((_, i) => `w${i}`))), ['M', 'N']],
    }),
    { weights: weightsOf(tensors), linear: form },
  )
  return y!.data as Float32Array
}

const activations = (K: number) => Float32Array.from({ length: rows * K }, normal)
/** Whole numbers that the forms represent exactly: every block of 32 reaches `peak`. */
const wholeNumbers = (K: number, peak: number) =>
  Float32Array.from({ length: rows * K }, (_, i) =>
    i % 32 === 0 ? peak : Math.round((random() - 0.5) * 2 * peak),
  )

describe('graph/linear', () => {
  const limits: Record<CpuLinearForm, Record<keyof typeof real | 'Q8_0', number>> = {
    float32: { Q4_1: 1e-6, I8: 1e-6, Q8_0: 1e-6 },
    'int8-blocks': { Q4_1: 1e-2, I8: 1e-2, Q8_0: 1e-2 },
    'int8-bytes': { Q4_1: 1e-2, I8: 1e-2, Q8_0: 1e-2 },
    // One scale per row is coarse for weights of blocks; those of whole rows are exact.
    'int8-digits': { Q4_1: 1.5e-2, I8: 1e-3, Q8_0: 1.5e-2 },
  }
  for (const form of forms) {
    for (const [storage, weights] of Object.entries({ ...real, Q8_0: [q8] }))
      it(`${form}: ${storage} within ${limits[form][storage as 'I8']}`, async () => {
        for (const weight of weights) {
          const x = activations(weight.dims[1]!)
          const error = relativeError(await product(form, x, [weight]), wantedProduct(x, [weight]))
          assert.ok(error < limits[form][storage as 'I8'], `${error}`)
        }
      })

    it(`${form}: rows do not influence each other`, async () => {
      const weight = real.Q4_1[0]!
      const K = weight.dims[1]!
      const x = activations(K)
      const alone = await product(form, x.slice(0, K), [weight])
      const louder = x.map((value, i) => (i < K ? value : 1000 * value))
      const among = (await product(form, louder, [weight])).slice(0, alone.length)
      assert.ok(relativeError(among, alone) < 1e-5)
    })

    it(`${form}: stacks layers and their biases`, async () => {
      const [q, v] = [real.Q4_1[0]!, real.Q4_1[1]!]
      const x = activations(q.dims[1]!)
      const bias = Float32Array.from({ length: v.dims[0]! }, (_, i) => i + 1)
      const tensors = { 'q.weight': q, 'v.weight': v, 'v.bias': floatWeight([bias.length], bias) }
      const { stacked, apart } = await evaluate(
        { x: float32(x, [rows, q.dims[1]!]) },
        (_, { x }) => ({
          stacked: [linear(x!, 'q', 'v'), ['M', 'N']],
          apart: [linear(x!, 'v'), ['M', 'V']],
        }),
        { weights: weightsOf(tensors), linear: form },
      )
      const [both, alone] = [stacked!.data as Float32Array, apart!.data as Float32Array]
      const N = stacked!.dims[1]!
      assert.equal(N, q.dims[0]! + v.dims[0]!)
      for (let row = 0; row < rows; row++) {
        const part = both.slice(row * N + q.dims[0]!, (row + 1) * N)
        assert.ok(relativeError(part, alone.slice(row * bias.length, (row + 1) * bias.length)) < 1e-6)
      }
      const plain = wantedProduct(x, [v]).map((value, i) => value + bias[i % bias.length]!)
      assert.ok(relativeError(alone, plain) < 2e-3)
    })
  }

  for (const form of forms)
    it(`${form}: stores the constants of layers that are used twice once`, () => {
      const [q, v] = [real.Q4_1[0]!, real.Q4_1[1]!]
      const bias = floatWeight([v.dims[0]!], new Float32Array(v.dims[0]!))
      const weights = weightsOf({ 'q.weight': q, 'v.weight': v, 'v.bias': bias })
      const g = new Graph('test', { weights, linear: form })
      const [a, b] = ['a', 'b'].map((name) => g.input(name, 'float32', ['M', q.dims[1]!]))
      const first = linear(a!, 'q', 'v')
      const { bytes } = g
      assert.notEqual(linear(b!, 'q', 'v'), first)
      assert.equal(g.bytes, bytes)
      linear(a!, 'v')
      assert.ok(g.bytes > bytes, 'other layers have their own')
    })

  it('int8-blocks and int8-bytes lose nothing but in the activations', async () => {
    for (const weight of [...real.Q4_1, ...real.I8, q8]) {
      const x = wholeNumbers(weight.dims[1]!, 127)
      const wanted = wantedProduct(x, [weight])
      assert.ok(relativeError(await product('int8-blocks', x, [weight]), wanted) < 3e-6)
      assert.ok(relativeError(await product('int8-bytes', x, [weight]), wanted) < 4e-3)
    }
  })

  it('int8-digits loses little but in the weights', async () => {
    const weight = real.I8[0]!
    const x = activations(weight.dims[1]!)
    assert.ok(relativeError(await product('int8-digits', x, [weight]), wantedProduct(x, [weight])) < 1e-3)
    const blocks = real.Q4_1[0]!
    const { values, scale } = byteRows([blocks])
    const K = blocks.dims[1]!
    const rounded = floatWeight(
      blocks.dims,
      Float32Array.from(values, (v, i) => v * scale[Math.floor(i / K)]!),
    )
    const y = activations(K)
    const actual = await product('int8-digits', y, [blocks])
    assert.ok(relativeError(actual, wantedProduct(y, [rounded])) < 1e-3)
    assert.ok(relativeError(actual, wantedProduct(y, [blocks])) > 2e-3)
  })

  it('int8-digits takes rows of one large number, of very small ones and of zeros', async () => {
    const weight = real.I8[0]!
    const K = weight.dims[1]!
    const spike = Float32Array.from({ length: K }, (_, i) => (i === 5 ? 1000 : 0))
    const small = activations(K)
      .slice(0, K)
      .map((value) => 1e-6 * value)
    for (const x of [spike, small])
      assert.ok(relativeError(await product('int8-digits', x, [weight]), wantedProduct(x, [weight])) < 1e-3)
    const zeros = await product('int8-digits', new Float32Array(K), [weight])
    assert.ok(zeros.every((value) => value === 0))
  })

  it('multiplies float weights, and rows that are no whole blocks, as they are', async () => {
    const weight = floatWeight([3, 48], Array.from({ length: 144 }, normal))
    const bytes: Weight = {
      ...weight,
      storage: 'I8',
      quantised: () => assert.fail('not in a form that needs blocks of 32'),
    }
    const x = activations(48)
    for (const form of forms)
      for (const kind of [weight, bytes])
        assert.ok(relativeError(await product(form, x, [kind]), wantedProduct(x, [kind])) < 1e-6)
  })

  for (const form of forms)
    it(`${form}: looks up rows of a table, and shares it with the output matrix`, async () => {
      const ids = [3, 199, 0, 3]
      let bytes = 0
      const { found, logits } = await evaluate(
        { ids: int64(ids) },
        (g, { ids }) => {
          const x = embedding(g, 'table', ids!)
          const product = tableProduct(x, 'table')
          bytes = g.bytes
          return { found: [x, ['M', 'K']], logits: [product, ['M', 'V']] }
        },
        { weights: weightsOf({ 'table.weight': q8 }), linear: form },
      )
      const table = q8.floats()
      const wanted = Float32Array.from(ids.flatMap((id) => [...table.slice(id * 576, (id + 1) * 576)]))
      assert.ok(relativeError(found!.data as Float32Array, wanted) < 1e-6)
      assert.ok(relativeError(logits!.data as Float32Array, wantedProduct(wanted, [q8])) < 1.5e-2)
      if (form === 'int8-bytes' || form === 'int8-blocks') assert.ok(bytes < 1.2 * table.length, `${bytes}`)
    })
})

describe('graph/packing', () => {
  const byteBlocks = (weight: Weight) => packedBlocks([weight], blockForm(weight, false)!)
  const block = (d: number, m: number, values: Uint8Array): Weight => ({
    dims: [1, 32],
    storage: 'Q4_1',
    floats: () => Float32Array.from(values, (v) => d * v + m),
    quantised: () => ({
      form: 'blocks',
      blockSize: 32,
      bits: 4,
      values,
      scale: Float32Array.of(d),
      min: Float32Array.of(m),
      zero: null,
    }),
  })
  const all = Uint8Array.from({ length: 32 }, (_, i) => i % 16)
  const worst = (weight: Weight) => {
    const { values, scale } = byteBlocks(weight)
    return weight
      .floats()
      .reduce((most, value, i) => Math.max(most, Math.abs((values[i]! - 128) * scale[0]! - value)), 0)
  }

  it('widens blocks of four bits almost exactly', () => {
    let sum = 0
    for (let i = 0; i < 1000; i++) {
      const error = worst(block(1, -7.5 + 3 * (random() - 0.5), all))
      assert.ok(error < 0.05, `${error}`)
      sum += error
    }
    assert.ok(sum / 1000 < 0.01, `${sum / 1000} of a step on average`)
    assert.equal(worst(block(0.25, -2, all)), 0)
  })

  it('rounds blocks that have no such form', () => {
    assert.ok(worst(block(0, -3, all)) < 1e-6, 'constant')
    assert.equal(worst(block(0, 0, all)), 0, 'zero')
    assert.ok(worst(block(0.01, 5, all)) < 5.15 / 254 + 1e-6, 'far from zero')
    assert.ok(worst(block(-0.5, 3.7, all)) < 0.03, 'downwards')
  })

  it('widens all blocks of the embedded checkpoint almost exactly', () => {
    const tensor = real.Q4_1[2]!
    const { values, scale } = byteBlocks(tensor)
    const floats = tensor.floats()
    const widened = floats.map((_, i) => (values[i]! - 128) * scale[i >> 5]!)
    assert.ok(relativeError(widened, floats) < 4e-3, `${relativeError(widened, floats)}`)
  })

  it('takes rows of bytes with a zero point by rounding', () => {
    const values = Int8Array.from({ length: 64 }, (_, i) => i - 32)
    const floats = () => Float32Array.from(values, (v) => 0.5 * (v - 3))
    const weight: Weight = {
      dims: [2, 32],
      storage: 'I8',
      floats,
      quantised: () => ({ form: 'affine', values, scale: Float32Array.of(0.5), zeroPoint: Int8Array.of(3) }),
    }
    const { values: packed, scale } = byteBlocks(weight)
    for (const [i, value] of floats().entries())
      assert.ok(Math.abs((packed[i]! - 128) * scale[i >> 5]! - value) < 0.08)
  })
})
