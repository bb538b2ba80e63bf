import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { planLlama } from '#src/models/llama/build.js'
import { onCpu } from '#src/models/plan.js'
import { miniature, writeCheckpoint } from './tiny.js'

describe('models/llama: what an engine has room for', () => {
  const { config, tensors } = miniature('Llama 2')
  const planned = (context: number) => {
    const folder = writeCheckpoint({ ...config, max_position_embeddings: context }, tensors())
    using checkpoint = openCheckpoint(folder)
    const [decoder] = planLlama(folder, checkpoint, onCpu('float32')).graphs
    return { stateRows: decoder!.stateRows, bytes: decoder!.graph.bytes }
  }

  it('is the context on a CPU, with tables of no more than 131072 rows', () => {
    const [small, large, million] = [512, 131_072, 1_048_576].map(planned)
    assert.deepEqual([small!.stateRows, large!.stateRows], [512, 131_072])
    const width = (large!.bytes - small!.bytes) / (131_072 - 512)
    assert.ok(width >= 8, 'the tables grow with the context')
    assert.deepEqual(million, large)
  })
})
