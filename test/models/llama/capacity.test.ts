import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { decoder } from '#src/models/llama/bindings.js'
import { planLlama } from '#src/models/llama/build.js'
import { capacityOf } from '#src/models/llama/capacity.js'
import { parseLlamaConfig } from '#src/models/llama/config.js'
import { onCpu } from '#src/models/plan.js'
import { LEAST_ROWS } from '#src/runtime/session.js'
import { HostState } from '#src/runtime/state.js'
import { root } from '../../root.js'
import { buildEngine } from './engine.js'
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

  it('is as many sequences on a CPU as can have room at the same time', () => {
    const engine = buildEngine(
      writeCheckpoint({ ...config, max_position_embeddings: 2048 }, tensors()),
      'float32',
    )
    const { manifest } = engine
    const llama = parseLlamaConfig(config, 'config.json')
    const { rowBytes } = capacityOf({ manifest, slots: 8, stateBytes: 2 ** 20 }, llama)
    const { state } = manifest.graphs[decoder.graph]!
    for (const sequences of [1, 3, 8]) {
      const bytes = (sequences * LEAST_ROWS + LEAST_ROWS - 1) * rowBytes
      assert.equal(capacityOf({ manifest, slots: 8, stateBytes: bytes }, llama).slots, sequences)
      const memory = new HostState(state, { rows: 2048, bytes })
      for (let slot = 0; slot < sequences; slot++) assert.ok(memory.reserve(slot, 1))
      assert.equal(memory.reserve(sequences, 1), false)
    }
    assert.equal(capacityOf({ manifest, slots: 8, stateBytes: 2 ** 30 }, llama).slots, 8)
    assert.throws(() => capacityOf({ manifest, slots: 8, stateBytes: rowBytes }, llama), /holds 1 tokens/)
    const [setting] = readFileSync(join(root, 'README.md'), 'utf8').match(/^\| `SLOTS` .*$/m)!
    assert.match(setting, new RegExp(` no ${LEAST_ROWS} tokens`))
  })
})
