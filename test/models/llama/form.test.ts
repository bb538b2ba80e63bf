import assert from 'node:assert/strict'
import { cpuForm } from '#src/models/llama/build.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import { smollm2 } from './engine.js'

describe('models/llama: the form of the linear layers on a CPU', () => {
  const small = readLlamaConfig(smollm2)
  const large = { ...small, hidden: 2048, intermediate: 8192, heads: 32, kvHeads: 32 }

  it('follows from the size of the layers and what the processor has', () => {
    assert.equal(cpuForm(small, true), 'int8-digits')
    assert.equal(cpuForm(small, false), 'int8-bytes')
    for (const int8Matrices of [true, false]) assert.equal(cpuForm(large, int8Matrices), 'int8-blocks')
  })
})
