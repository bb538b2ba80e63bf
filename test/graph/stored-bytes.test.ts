/** Weights that a checkpoint has in int8 go to TensorRT as they are. */
import assert from 'node:assert/strict'
import type { Weight } from '#src/graph/graph.js'
import { int8Columns } from '#src/graph/short-weights.js'

/** int8 rows of three, with a scale each. */
function stored(rows: readonly (readonly number[])[], scale: readonly number[]): Weight {
  const values = Int8Array.from(rows.flat())
  return {
    dims: [rows.length, 3],
    storage: 'I8',
    floats: () => Float32Array.from(values, (value, i) => value * scale[Math.floor(i / 3)]!),
    quantised: () => ({ form: 'affine', values, scale: Float32Array.from(scale), zeroPoint: null }),
  }
}

describe('graph/short-weights: bytes of the checkpoint', () => {
  const first = stored(
    [
      [1, -2, 3],
      [-128, 5, 60],
    ],
    [0.01, 0.02],
  )

  it('keep their values, stacked and laid out as columns', () => {
    const second = stored([[7, 8, 9]], [0.03])
    const { values, scale } = int8Columns([first, second], 3, 3)
    assert.deepEqual(values, Int8Array.of(1, -128, 7, -2, 5, 8, 3, 60, 9))
    assert.deepEqual(scale, Float32Array.of(0.01, 0.02, 0.03))
  })

  it('are rounded anew where float16 has no exact scale for them', () => {
    const small = stored([[2, -4, 6]], [2 ** -16])
    const { values, scale } = int8Columns([first, small], 3, 3)
    assert.equal(values[1], -127)
    for (const [n, weight] of [
      [0, first],
      [2, small],
    ] as const)
      for (let k = 0; k < 3; k++)
        assert.ok(Math.abs(values[3 * k + n]! * scale[n]! - weight.floats()[k]!) <= scale[n]! / 2)
  })
})
