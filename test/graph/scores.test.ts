import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { Graph } from '#src/graph/graph.js'
import { abs } from '#src/graph/ops.js'
import { scoresOutput } from '#src/graph/scores.js'
import { float32, floats } from '#src/runtime/session.js'
import { noWeights } from './evaluate.js'
import { openPortable } from './portable-session.js'
import { violations } from './tensorrt-rules.js'

const random = seededRandom(11)

describe('graph/scores', () => {
  const names = { logits: 'logits', topIds: 'ids', topLogits: 'top', logSumExp: 'sum' }
  const vocabulary = 200
  // Two rows, the second beyond what exp() can hold.
  const logits = Float32Array.from(
    { length: 2 * vocabulary },
    (_, i) => (i < vocabulary ? 0 : 300) + 40 * random(),
  )

  it('finds the largest logits and the sum of all exponentials', async () => {
    const graph = new Graph('test', { weights: noWeights, target: 'tensorrt', float: 'float16' })
    scoresOutput(graph.asFloat(graph.input('x', 'float32', ['wanted', vocabulary])), vocabulary, names)
    const planned = { graph, profiles: [{ name: 'any', sizes: { wanted: [1, 2, 2] } }] } as const
    assert.deepEqual(violations(planned), [])
    const session = await openPortable(planned, { rounding: true })
    const results = await session.run({ x: float32(logits, [2, vocabulary]) })
    await session.dispose()
    const all = floats(results, 'logits')
    for (const row of [0, 1]) {
      const own = all.subarray(row * vocabulary, (row + 1) * vocabulary)
      const order = [...own.keys()].sort((a, b) => own[b]! - own[a]! || a - b).slice(0, 64)
      const ids = Array.from(results.ids!.data.slice(row * 64, (row + 1) * 64), Number)
      assert.deepEqual(ids, order)
      assert.deepEqual(
        floats(results, 'top').slice(row * 64, (row + 1) * 64),
        Float32Array.from(order, (id) => own[id]!),
      )
      const most = Math.max(...own)
      const wanted = most + Math.log(own.reduce((sum, value) => sum + Math.exp(value - most), 0))
      assert.ok(Math.abs(floats(results, 'sum')[row]! - wanted) < 1e-4)
    }
  })

  it('hands out logits alone on ONNX Runtime', () => {
    const graph = new Graph('test', { weights: noWeights })
    scoresOutput(abs(graph.input('x', 'float32', ['wanted', 3])), 3, names)
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      ['logits'],
    )
    assert.equal(graph.size, 1)
  })

  it('has no more of the largest than there are', () => {
    const graph = new Graph('test', { weights: noWeights, target: 'tensorrt' })
    scoresOutput(graph.input('x', 'float32', ['wanted', 3]), 3, names)
    assert.deepEqual(graph.outputs.find(({ name }) => name === 'ids')!.dims, ['wanted', 3])
  })
})
