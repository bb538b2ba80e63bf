/** Whether quantised numbers are what their storage's name says: graphs take their form from the name alone. */
import assert from 'node:assert/strict'
import { blockLayout } from '#src/graph/weight.js'
import type { Quantised } from '#src/weight-numbers.js'

export function checkBlocks(storage: string, numbers: Quantised, count: number): void {
  const layout = blockLayout(storage)
  assert.ok(layout && numbers.form === 'blocks', storage)
  const { bits, blockSize, values, scale, min, zero } = numbers
  const offset = min ? 'min' : zero ? 'zero' : 'none'
  assert.deepEqual({ bits, blockSize, offset }, layout)
  assert.equal(values.length, count)
  for (const perBlock of [scale, min, zero]) assert.ok(!perBlock || perBlock.length === count / blockSize)
  // Signed numbers have no offset: bytes can be told from what stands around them.
  assert.equal(values instanceof Int8Array, offset === 'none')
  const least = offset === 'none' ? -(2 ** (bits - 1)) : 0
  for (const numbersOf of zero ? [values, zero] : [values])
    assert.ok(numbersOf.every((value) => value >= least && value < least + 2 ** bits))
}
