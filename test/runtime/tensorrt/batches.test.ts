import assert from 'node:assert/strict'
import type { Profile } from '#src/runtime/session.js'
import { batchSizes, spans } from '#src/runtime/tensorrt/batches.js'
import type { Border } from '#src/runtime/tensorrt/border.js'

describe('runtime/tensorrt/batches', () => {
  const border = {
    inputs: [],
    outputs: [],
    hostInputs: new Set<string>(),
    openInputs: [],
    state: [],
    residentInputs: [],
    residentOutputs: [],
    batch: 'batch',
    rows: 'rows',
  } satisfies Border
  const decode = (most: number): Profile => ({
    name: 'decode',
    sizes: { batch: [1, most, most], rows: [1, 1, 1] },
  })
  const prefill: Profile = { name: 'prefill', sizes: { batch: [1, 1, 1], rows: [1, 128, 512] } }

  it('come in halves of the largest that is replayed, no more than stay recorded', () => {
    const sizes = (most: number) => batchSizes(border, [prefill, decode(most)])
    assert.deepEqual(sizes(8), [1, 2, 4, 8])
    assert.deepEqual(sizes(6), [1, 2, 3, 6])
    assert.deepEqual(sizes(1), [1])
    assert.deepEqual(sizes(256), [2, 4, 8, 16, 32, 64, 128, 256])
    assert.deepEqual(batchSizes(border, [prefill]), [1])
    assert.deepEqual(batchSizes({ ...border, batch: 3 }, [decode(3)]), [3])
  })

  it('begin at the first slot and have all that are wanted', () => {
    const sizes = [1, 2, 3, 6]
    assert.deepEqual(spans([0], 6, sizes), [[0]])
    assert.deepEqual(spans([2, 0], 6, sizes), [[0, 1, 2]])
    assert.deepEqual(spans([3], 6, sizes), [[0, 1, 2, 3, 4, 5]])
  })

  it('are several where one does not take all slots', () => {
    assert.deepEqual(spans([1, 4, 9], 10, [1, 2, 4]), [[0, 1], [4], [8, 9]])
    assert.deepEqual(spans([8], 9, [2, 4]), [[8]])
  })
})
