/** Operators whose arguments are easily given in the wrong order or place, each by a small example. */
import assert from 'node:assert/strict'
import {
  fusedMatMul,
  quickGelu,
  rotaryEmbedding,
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
} from '#src/graph/contrib.js'
import type { Value } from '#src/graph/graph.js'
import * as ops from '#src/graph/ops.js'
import { float32, type HostTensor, int64 } from '#src/runtime/session.js'
import { evaluate } from './evaluate.js'

const matrix = float32(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])

/** The first result of a graph over `x`, of rank `rank`. */
async function result(x: HostTensor, build: (x: Value) => Value, rank = 2): Promise<HostTensor> {
  const dims = Array.from({ length: rank }, (_, axis) => `y_${axis}`)
  return (await evaluate({ x }, (_, inputs) => ({ y: [build(inputs.x!), dims] }))).y!
}
const near = (actual: HostTensor, wanted: readonly number[]) => {
  assert.equal(actual.data.length, wanted.length)
  for (const [i, value] of wanted.entries())
    assert.ok(Math.abs(Number(actual.data[i]) - value) < 1e-5, `${i}: ${actual.data[i]} is not ${value}`)
}

describe('graph/ops', () => {
  const cases: Record<string, [(x: Value) => Value, dims: number[], data: number[]]> = {
    'number − x': [(x) => ops.sub(10, x), [2, 3], [9, 8, 7, 6, 5, 4]],
    'x ÷ number': [(x) => ops.div(x, 2), [2, 3], [0.5, 1, 1.5, 2, 2.5, 3]],
    where: [(x) => ops.where(ops.greater(x, 3), x, 0), [2, 3], [0, 0, 0, 4, 5, 6]],
    transpose: [(x) => ops.transpose(x, [1, 0]), [3, 2], [1, 4, 2, 5, 3, 6]],
    slice: [(x) => ops.slice(x, 1, 1, 3), [2, 2], [2, 3, 5, 6]],
    'slice in steps': [(x) => ops.slice(x, 1, 0, 3, 2), [2, 2], [1, 3, 4, 6]],
    split: [(x) => ops.split(x, [1, 2], 1)[1]!, [2, 2], [2, 3, 5, 6]],
    pad: [(x) => ops.pad(x, [0, 1, 0, 0]), [2, 4], [0, 1, 2, 3, 0, 4, 5, 6]],
    gather: [(x) => ops.gather(x, x.graph.constant('int64', [2], [2, 0]), 1), [2, 2], [3, 1, 6, 4]],
    cumSum: [(x) => ops.cumSum(x, 1), [2, 3], [1, 3, 6, 4, 9, 15]],
    reduceSum: [(x) => ops.reduceSum(x, [1]), [2, 1], [6, 15]],
    reduceMax: [(x) => ops.reduceMax(x, [0]), [1, 3], [4, 5, 6]],
    reshape: [(x) => ops.reshape(x, [-1, 2]), [3, 2], [1, 2, 3, 4, 5, 6]],
    concat: [(x) => ops.concat([x, x], 0), [4, 3], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]],
    'cast to int64 and back': [
      (x) => ops.cast(ops.cast(ops.div(x, 2), 'int64'), 'float32'),
      [2, 3],
      [0, 1, 1, 2, 2, 3],
    ],
    quickGelu: [(x) => quickGelu(x, 1), [2, 3], [1, 2, 3, 4, 5, 6].map((v) => v / (1 + Math.exp(-v)))],
    'fusedMatMul with x transposed': [
      (x) => fusedMatMul(x, x, { alpha: 0.5, transB: true }),
      [2, 2],
      [7, 16, 16, 38.5],
    ],
  }
  for (const [name, [build, dims, data]] of Object.entries(cases))
    it(name, async () => {
      const y = await result(matrix, build)
      assert.deepEqual(y.dims, dims)
      near(y, data)
    })

  it('splits at sizes known only at run time', async () => {
    const sizes = int64([1, 2])
    const { y } = await evaluate({ x: matrix, sizes }, (_, { x, sizes }) => ({
      y: [ops.splitAt(x!, sizes!, 2, 1)[1]!, [2, 'rest']],
    }))
    near(y!, [2, 3, 5, 6])
  })

  it('counts, and measures shapes', async () => {
    const y = await result(matrix, (x) => ops.range(ops.squeeze(ops.shapeOf(x, 1, 2), [0])), 1)
    assert.deepEqual([...y.data], [0n, 1n, 2n])
  })

  it('convolves with padding and stride, and back', async () => {
    const signal = float32(Float32Array.of(1, 2, 3, 4), [1, 1, 4])
    const kernel = (x: Value) => x.graph.constant('float32', [1, 1, 3], [1, 10, 100])
    near(
      await result(signal, (x) => ops.conv(x, kernel(x), null, { pads: [1, 1], strides: [2] }), 3),
      [210, 432],
    )
    const two = float32(Float32Array.of(1, 2), [1, 1, 2])
    near(
      await result(two, (x) => ops.convTranspose(x, kernel(x), null, { strides: [2] }), 3),
      [1, 10, 102, 20, 200],
    )
  })

  it('normalises by the root of the mean square, alone and of a sum', async () => {
    const scale = (x: Value) => x.graph.constant('float32', [2], [1, 2])
    const pair = float32(Float32Array.of(3, 4), [1, 2])
    const root = Math.sqrt(12.5)
    near(await result(pair, (x) => simplifiedLayerNormalization(x, scale(x), 1e-12)), [3 / root, 8 / root])
    const both = await evaluate({ x: pair }, (_, { x }) => {
      const [y, sum] = skipSimplifiedLayerNormalization(x!, x!, scale(x!), 1e-12)
      return { y: [y, [1, 2]], sum: [sum, [1, 2]] }
    })
    near(both.y!, [3 / root, 8 / root])
    near(both.sum!, [6, 8])
  })

  it('rotates halves against each other by position', async () => {
    const row = float32(Float32Array.of(1, 2, 3, 4), [1, 1, 1, 4])
    const angles = [0, 0, 0.5, 1]
    const table = (x: Value, f: (angle: number) => number) =>
      x.graph.constant('float32', [2, 2], angles.map(f))
    const rotated = await result(
      row,
      (x) =>
        rotaryEmbedding(x, x.graph.constant('int64', [1], [1]), table(x, Math.cos), table(x, Math.sin), {
          heads: 1,
        }),
      4,
    )
    const turn = (a: number, b: number, angle: number) => [
      a * Math.cos(angle) - b * Math.sin(angle),
      b * Math.cos(angle) + a * Math.sin(angle),
    ]
    const [first, third] = turn(1, 3, 0.5)
    const [second, fourth] = turn(2, 4, 1)
    near(rotated, [first!, second!, third!, fourth!])
  })

  it('needs a value among the operands', () => {
    assert.throws(() => ops.add(1, 2), /two numbers/)
  })
})
