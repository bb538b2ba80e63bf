/** Short weights against the product with the weights that they stand for, and against those of the checkpoint. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { seededRandom } from '#src/decoding/rng.js'
import { Graph, type LinearForm, type Weight } from '#src/graph/graph.js'
import { float16Bits } from '#src/graph/halves.js'
import { linear } from '#src/graph/linear.js'
import { float8Bits, float8Columns, int4Blocks, int8Columns } from '#src/graph/short-weights.js'
import { embedding, tableProduct } from '#src/graph/tables.js'
import { float32, floats, int64 } from '#src/runtime/session.js'
import type { BlockNumbers } from '#src/weight-numbers.js'
import { checkpoint } from '../root.js'
import { evaluateTensorrt } from './both-targets.js'
import { floatWeight, weightsOf } from './evaluate.js'
import { relativeError, wantedProduct } from './reference.js'
import { storedWeight } from './stored.js'

const random = seededRandom(17)
const normal = () => Math.sqrt(3) * (random() + random() + random() + random() - 2)
const language = openCheckpoint(checkpoint('smollm2-135m-instruct'))
const q4 = language.tensor('blk.3.attn_v.weight')
const plain = (N: number, K: number) => floatWeight([N, K], Float32Array.from({ length: N * K }, normal))

async function product(
  linearForm: LinearForm,
  x: Float32Array,
  weights: readonly Weight[],
  rounding = false,
) {
  const K = weights[0]!.dims[1]!
  const tensors = weightsOf(Object.fromEntries(weights.map((weight, i) => [`w${i}.weight`, weight])))
  const { y } = await evaluateTensorrt(
    { x: float32(x, [x.length / K, K]) },
    (_, { x }) => ({ y: [linear(x!, ...weights.map((_, i) => `w${i}`)), ['M', 'N']] }),
    { weights: tensors, linear: linearForm, float: 'float16', rounding },
  )
  return y!.data as Float32Array
}

describe('graph/weight-only', () => {
  const activations = (K: number) => Float32Array.from({ length: 5 * K }, normal)
  const cases: [LinearForm, string, readonly Weight[], limit: number][] = [
    ['float32', 'Q4_1', [q4], 1e-6],
    ['int8', 'Q4_1', [q4], 1.5e-2],
    ['int8', 'floats', [plain(6, 64), plain(4, 64)], 1e-2],
    ['fp8', 'Q4_1', [q4], 4e-2],
    ['fp8', 'floats', [plain(6, 64), plain(4, 64)], 4e-2],
    // Stored four bits are kept; their offsets are not rounded here.
    ['int4', 'Q4_1', [q4], 1e-6],
    ['int4', 'Q4_0 with scales of both signs', [storedWeight('Q4_0', 6, 64, random)], 1e-6],
    [
      'int4',
      'both kinds and floats',
      [q4, plain(2, q4.dims[1]!), storedWeight('Q4_0', 4, q4.dims[1]!, random)],
      0.1,
    ],
    ['int4', 'floats in blocks of 32', [plain(6, 96)], 0.2],
    ['int4', 'floats in blocks of 128', [plain(6, 256)], 0.2],
    ['int4', 'rows that are no whole blocks, as they are', [plain(6, 48)], 1e-6],
    ['int4', 'an odd number of outputs, as they are', [plain(3, 64)], 1e-6],
  ]
  for (const [form, what, weights, limit] of cases)
    it(`${form}: ${what} within ${limit}`, async () => {
      const x = activations(weights[0]!.dims[1]!)
      const error = relativeError(await product(form, x, weights), wantedProduct(x, weights))
      assert.ok(error < limit, `${error}`)
      // A form that is exact has to show that it was the one: halves lose more.
      const half = relativeError(await product(form, x, weights, true), wantedProduct(x, weights))
      assert.ok(half > 1e-5 && half < limit + 2e-3, `${half} in halves`)
    })

  for (const [V, stored] of [
    [16, 16 * 32 * 2],
    // Six rows of zeros, and where to cut their logits off again: three int64.
    [10, 16 * 32 * 2 + 24],
  ] as const)
    it(`stores an embedding of ${V} rows and the head that is tied to it once`, async () => {
      const table = plain(V, 32)
      for (const form of ['float32', 'int8', 'int4'] as const) {
        let bytes = 0
        const { found, logits } = await evaluateTensorrt(
          { ids: int64([3, 0, 3]) },
          (g, { ids }) => {
            const x = embedding(g, 'table', ids!)
            const y = tableProduct(x, 'table')
            bytes = g.bytes
            return { found: [x, ['n', 32]], logits: [y, ['n', V]] }
          },
          { weights: weightsOf({ 'table.weight': table }), linear: form, float: 'float16' },
        )
        assert.equal(bytes, stored)
        const rows = Float32Array.from(
          [3, 0, 3].flatMap((id) => [...table.floats().subarray(id * 32, (id + 1) * 32)]),
        )
        assert.deepEqual(found!.data, rows)
        assert.ok(relativeError(floats({ logits: logits! }, 'logits'), wantedProduct(rows, [table])) < 1e-6)
      }
    })

  it('stores the constants of layers that are used twice once', () => {
    for (const form of ['int8', 'int4', 'fp8'] as const) {
      const g = new Graph('test', {
        weights: weightsOf({ 'w.weight': q4 }),
        target: 'tensorrt',
        linear: form,
      })
      const [a, b] = ['a', 'b'].map((name) => g.input(name, 'float32', ['M', q4.dims[1]!]))
      linear(a!, 'w')
      const { bytes } = g
      linear(b!, 'w')
      assert.equal(g.bytes, bytes)
    }
  })
})

describe('graph/short-weights', () => {
  const isHalf = (value: number) => value > 0 && halfOf(float16Bits(bitsOf(value))) === value
  const scales = {
    int8: (weight: Weight) => int8Columns([weight], weight.dims[0]!, weight.dims[1]!).scale,
    fp8: (weight: Weight) => float8Columns([weight], weight.dims[0]!, weight.dims[1]!).scale,
    int4: (weight: Weight) => int4Blocks([weight], weight.dims[0]!, weight.dims[1]!, 32).scale,
  }
  for (const [form, scalesOf] of Object.entries(scales))
    it(`${form}: scales are float16 above zero, whatever the weights`, () => {
      for (const size of [1, 1e-3, 1e-9, 0, 1e4]) {
        const weight = floatWeight(
          [4, 32],
          Float32Array.from({ length: 128 }, () => size * normal()),
        )
        assert.ok(scalesOf(weight).every(isHalf), `${size}: ${scalesOf(weight)}`)
      }
      if (form !== 'int4') return
      assert.ok(scalesOf(storedWeight('Q4_0', 4, 64, random)).every(isHalf))
    })

  it('int4: takes steps that float16 does not have as zero', () => {
    const weight = storedWeight('I4/32', 2, 32, random)
    const tiny = (step: number): Weight => ({
      ...weight,
      quantised: () => {
        const stored = weight.quantised() as BlockNumbers
        return { ...stored, scale: Float32Array.of(step, 0.5) }
      },
    })
    const of = (step: number) => int4Blocks([tiny(step)], 2, 32, 32)
    assert.deepEqual(of(2 ** -26).scale, Float32Array.of(1, 0.5))
    // The first output is in the lower halves.
    assert.ok(of(2 ** -26).values.every((pair) => (pair & 15) === 0))
    assert.ok(of(2 ** -20).values.some((pair) => (pair & 15) !== 0))
  })

  it('rounds to the nearest float8e4m3fn', () => {
    const numbers = Array.from({ length: 127 }, (_, bits) => {
      const [exponent, mantissa] = [bits >> 3, bits & 7]
      return exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10)
    })
    assert.equal(numbers.at(-1), 448)
    for (const [bits, value] of numbers.entries()) {
      assert.equal(float8Bits(bitsOf(value)), bits)
      assert.equal(float8Bits(bitsOf(-value)), bits | (Object.is(-value, -0) || value > 0 ? 128 : 0))
      const next = numbers[bits + 1]
      if (next === undefined) continue
      const middle = (value + next) / 2
      assert.equal(float8Bits(bitsOf(middle)), bits % 2 === 0 ? bits : bits + 1, `${middle}`)
      assert.equal(float8Bits(bitsOf(middle + (next - middle) / 8)), bits + 1)
      assert.equal(float8Bits(bitsOf(middle - (next - middle) / 8)), bits)
    }
    for (const large of [449, 1e30, Infinity]) assert.equal(float8Bits(bitsOf(large)), 126)
    assert.equal(float8Bits(bitsOf(1e-30)), 0)
  })
})

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!
/** The value of a finite float16. */
function halfOf(bits: number): number {
  const [exponent, mantissa] = [bits >> 10, bits & 1023]
  return exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25)
}
