import assert from 'node:assert/strict'
import { ggufArchitecture } from '#src/checkpoint/gguf-architecture.js'
import { gguf, ggufString, keyValue } from './writers.js'

const architecture = keyValue('general.architecture', 8, ggufString('llama'))
const file = (...keys: Buffer[]) => gguf({ keys, infos: [], data: Buffer.alloc(0) })

describe('checkpoint/gguf-architecture', () => {
  it('is behind keys of every size', () => {
    const sizes = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8]
    const numbers = sizes.flatMap((size, type) =>
      size ? keyValue(`k${type}`, type, Buffer.alloc(size)) : [],
    )
    const text = keyValue('general.name', 8, ggufString('a name'))
    assert.equal(ggufArchitecture(file(architecture)), 'llama')
    assert.equal(ggufArchitecture(file(...numbers, text, architecture)), 'llama')
  })

  it('is not known of other files, of half a file, and behind what has no size of its own', () => {
    const whole = file(architecture)
    for (let length = 0; length < whole.indexOf('llama') + 5; length++)
      assert.equal(ggufArchitecture(whole.subarray(0, length)), undefined, `${length} bytes`)
    assert.equal(ggufArchitecture(Buffer.concat([Buffer.from('GGML'), whole.subarray(4)])), undefined)
    for (const type of [9, 13, 2 ** 31])
      assert.equal(ggufArchitecture(file(keyValue('k', type, Buffer.alloc(12)), architecture)), undefined)
  })
})
