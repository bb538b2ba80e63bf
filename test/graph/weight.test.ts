/** A graph is laid out before a number is read: by the storage's name, which has to promise what the numbers keep. */
import assert from 'node:assert/strict'
import { blockFormats } from '#src/checkpoint/gguf-blocks.js'
import { blockLayout } from '#src/graph/weight.js'

describe('graph/weight', () => {
  it('knows how the blocks of every GGUF storage lie', () => {
    for (const [storage, { bytes, unpack }] of Object.entries(blockFormats)) {
      const { bits, blockSize, min, zero, values } = unpack(new Uint8Array(bytes))
      const offset = min ? 'min' : zero ? 'zero' : 'none'
      assert.deepEqual(blockLayout(storage), { bits, blockSize, offset }, storage)
      assert.equal(values instanceof Int8Array, offset === 'none', storage)
    }
  })

  it('knows those of packed integers by their name, and no others', () => {
    assert.deepEqual(blockLayout('I4/128'), { bits: 4, blockSize: 128, offset: 'none' })
    assert.deepEqual(blockLayout('U8/32'), { bits: 8, blockSize: 32, offset: 'zero' })
    for (const storage of ['F16', 'I8', 'I5/32', 'U4/48', 'constructor'])
      assert.equal(blockLayout(storage), null, storage)
  })
})
