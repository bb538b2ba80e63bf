/** What linear layers are held against: the product in double precision, and how far another one is from it. */
import assert from 'node:assert/strict'
import type { Weight } from '#src/graph/graph.js'

/** x · Wᵀ for every row of x, the weights' rows one after another. */
export function wantedProduct(x: Float32Array, weights: readonly Weight[]): Float64Array {
  const K = weights[0]!.dims[1]!
  const all = weights.map((weight) => weight.floats())
  const result: number[] = []
  for (let row = 0; row < x.length; row += K)
    for (const w of all)
      for (let n = 0; n < w.length; n += K) {
        let sum = 0
        for (let k = 0; k < K; k++) sum += x[row + k]! * w[n + k]!
        result.push(sum)
      }
  return Float64Array.from(result)
}

/** The root of the mean square of the differences, relative to that of what is wanted. */
export function relativeError(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  assert.equal(actual.length, wanted.length)
  let [error, size] = [0, 0]
  for (let i = 0; i < wanted.length; i++) {
    error += (actual[i]! - wanted[i]!) ** 2
    size += wanted[i]! ** 2
  }
  return Math.sqrt(error / size)
}
