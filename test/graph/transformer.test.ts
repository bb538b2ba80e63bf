/** The parts of transformers are the same numbers in the forms of both runtimes, and the ones wanted. */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { Graph, type Value } from '#src/graph/graph.js'
import { shapeOf } from '#src/graph/ops.js'
import { rmsNorm, rmsNormOfSum, rotaryPositions, rotated, silu, tokensInput } from '#src/graph/transformer.js'
import { float32, type HostTensor, int64 } from '#src/runtime/session.js'
import { bothTargets, evaluateTensorrt } from './both-targets.js'
import { floatWeight, noWeights, weightsOf } from './evaluate.js'
import { openPortable } from './portable-session.js'
import { violations } from './tensorrt-rules.js'

const random = seededRandom(11)
const numbers = (n: number) => Float32Array.from({ length: n }, () => 4 * (random() - 0.5))

function near(actual: HostTensor, wanted: ArrayLike<number>, limit = 1e-5): void {
  assert.equal(actual.data.length, wanted.length)
  for (const [i, value] of Array.from(wanted).entries())
    assert.ok(Math.abs(Number(actual.data[i]) - value) < limit, `${i}: ${actual.data[i]} is not ${value}`)
}

describe('graph/transformer, in the forms of both runtimes', () => {
  const weights = weightsOf({ scale: floatWeight([6], [1, 2, 3, -1, 0.5, 0]) })
  const x = float32(numbers(18), [3, 6])

  it('normalises by the root of the mean square, alone and of a sum', async () => {
    const branch = float32(numbers(18), [3, 6])
    const forms = await bothTargets(
      { x, branch },
      (g, { x, branch }) => {
        const scale = g.weight('scale')
        const { normed, sum } = rmsNormOfSum(x!, branch!, scale, 1e-5)
        return {
          alone: [rmsNorm(x!, scale, 1e-5), ['n', 6]],
          normed: [normed, ['n', 6]],
          sum: [sum, ['n', 6]],
        }
      },
      weights,
    )
    const scale = weights.tensor('scale').floats()
    const norm = (rows: Float32Array) =>
      rows.map((value, i) => {
        const row = rows.subarray(i - (i % 6), i - (i % 6) + 6)
        const mean = row.reduce((sum, v) => sum + v * v, 0) / 6
        return (value / Math.sqrt(mean + 1e-5)) * scale[i % 6]!
      })
    const sum = (x.data as Float32Array).map((value, i) => value + (branch.data as Float32Array)[i]!)
    for (const { alone, normed, sum: actual } of forms) {
      near(alone!, norm(x.data as Float32Array))
      near(actual!, sum)
      near(normed!, norm(sum))
    }
  })

  it('has SiLU', async () => {
    const wanted = (x.data as Float32Array).map((v) => v / (1 + Math.exp(-v)))
    for (const { y } of await bothTargets({ x }, (_, { x }) => ({ y: [silu(x!), ['n', 6]] })))
      near(y!, wanted)
  })

  describe('turns heads by the position of their row', () => {
    const [heads, width] = [2, 4]
    const dims = [16, width / 2]
    const angle = (position: number, pair: number) => position * (pair === 0 ? 1 : 0.3)
    const table = (kind: 'cos' | 'sin') =>
      Float32Array.from({ length: 32 }, (_, i) => Math[kind](angle(i >> 1, i & 1)))
    const turned = (rows: Float32Array, first: readonly number[], S: number) =>
      rows.map((value, i) => {
        const [element, row] = [i % width, Math.floor(i / width) % S]
        const position = first[Math.floor(i / width / S / heads)]! + row
        const [pair, other] = [element % 2, element < 2 ? rows[i + 2]! : rows[i - 2]!]
        const a = angle(position, pair)
        return value * Math.cos(a) + (element < 2 ? -other : other) * Math.sin(a)
      })
    const build = (g: Graph, { q, past }: Record<string, Value>) => {
      const positions = rotaryPositions(past!, shapeOf(q!, 2, 3), { dims, table })
      assert.equal(positions.cos.dtype, g.float)
      return { y: [rotated(q!, positions, heads), ['B', heads, 'S', width]] } as const
    }

    it('of one sequence', async () => {
      const q = float32(numbers(heads * 5 * width), [1, heads, 5, width])
      for (const { y } of await bothTargets({ q, past: int64([7]) }, build))
        near(y!, turned(q.data as Float32Array, [7], 5))
    })

    it('and of several, each with its own past', async () => {
      const q = float32(numbers(3 * heads * 2 * width), [3, heads, 2, width])
      const { y } = await evaluateTensorrt({ q, past: int64([0, 9, 4]) }, build)
      near(y!, turned(q.data as Float32Array, [0, 9, 4], 2))
    })
  })

  it('cuts tokens into sequences on TensorRT, and knows one on ONNX Runtime', async () => {
    const tokens = int64([5, 6, 7, 8, 9, 10], [2, 3])
    const graph = new Graph('test', { weights: noWeights, target: 'tensorrt' })
    const sequences = tokensInput(graph, 'tokens', 'batch')
    graph.output('ids', sequences.tokens, ['n'])
    graph.output('rows', sequences.rows, [1])
    graph.output('batch', sequences.batch!, [1])
    const profiles = [{ name: 'any', sizes: { batch: [1, 2, 2], rows: [1, 3, 3] } }] as const
    assert.deepEqual(violations({ graph, profiles }), [])
    const session = await openPortable({ graph, profiles }, { rounding: false })
    const { ids, rows, batch } = await session.run({ tokens })
    await session.dispose()
    assert.deepEqual([...ids!.data], [5n, 6n, 7n, 8n, 9n, 10n])
    assert.deepEqual([...rows!.data, ...batch!.data], [3n, 2n])
    const one = tokensInput(new Graph('test', { weights: noWeights }), 'tokens', 1)
    assert.equal(one.batch, undefined)
    assert.deepEqual(one.tokens.graph.inputs[0]!.dims, [1, 'rows'])
  })
})
