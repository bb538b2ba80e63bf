/** The build half but for its numbers: configuration, names, strictness. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checkpoint, openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { CheckpointTensor } from '#src/checkpoint/tensor.js'
import { SetupError } from '#src/errors.js'
import { planKokoro } from '#src/models/kokoro/build.js'
import { readConfig } from '#src/models/kokoro/config.js'
import { isUnneeded, plainNames } from '#src/models/kokoro/weights.js'
import { onCpu } from '#src/models/plan.js'
import { folder } from './sessions.js'

const fails = (message: RegExp) => (error: unknown) =>
  error instanceof SetupError && message.test(error.message)

/** A checkpoint with other names, or tensors more or less. */
function changed(checkpoint: Checkpoint, rename: (name: string) => string[]): Checkpoint {
  const originals = new Map(checkpoint.names.flatMap((name) => rename(name).map((other) => [other, name])))
  return {
    names: [...originals.keys()],
    metadata: checkpoint.metadata,
    has: (name) => originals.has(name),
    tensor: (name) => checkpoint.tensor(originals.get(name) ?? name),
    [Symbol.dispose]: () => {},
  }
}

function tensorOf(name: string, dims: number[], values: number[]): CheckpointTensor {
  return { name, dims, storage: 'F32', floats: () => Float32Array.from(values), quantised: () => null }
}

function checkpointOf(tensors: readonly CheckpointTensor[]): Checkpoint {
  return {
    names: tensors.map(({ name }) => name),
    metadata: new Map(),
    has: (name) => tensors.some((tensor) => tensor.name === name),
    tensor: (name) => {
      const found = tensors.find((tensor) => tensor.name === name)
      if (!found) throw new SetupError(`no tensor ${name}`)
      return found
    },
    [Symbol.dispose]: () => {},
  }
}

describe('models/kokoro/config', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'kokoro-config-'))
  after(() => rmSync(temporary, { recursive: true }))
  const original = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const read = (change: object) => {
    writeFileSync(join(temporary, 'config.json'), JSON.stringify({ ...original, ...change }))
    return readConfig(temporary)
  }

  it('reads the sizes', () => {
    const config = read({})
    assert.equal(config.frameSamples, 600)
    assert.equal(config.maxIds, 512)
    assert.equal(config.symbols.get('ˈ'), 156)
    assert.deepEqual(config.generator.dilations[2], [1, 3, 5])
  })

  it('refuses what is missing or not implemented, by name', () => {
    const { plbert, istftnet } = original
    assert.throws(() => read({ vocab: undefined }), fails(/config\.json: vocab is missing/))
    assert.throws(() => read({ hidden_dim: -1 }), fails(/hidden_dim is -1/))
    assert.throws(() => read({ multispeaker: false }), fails(/multispeaker is false, only true/))
    assert.throws(
      () => read({ plbert: { ...plbert, hidden_act: 'relu' } }),
      fails(/plbert: hidden_act is "relu"/),
    )
    assert.throws(
      () => read({ istftnet: { ...istftnet, resblock_kernel_sizes: [3] } }),
      fails(/istftnet: resblock_kernel_sizes has 1 entries for 3/),
    )
    writeFileSync(join(temporary, 'config.json'), '{')
    assert.throws(() => readConfig(temporary), fails(/can not be read as JSON/))
  })
})

describe('models/kokoro/weights', () => {
  it('folds weight norm, in both spellings, and strips module.', () => {
    const weights = plainNames(
      checkpointOf([
        tensorOf('decoder.module.a.weight_v', [2, 1, 2], [3, 4, 0.6, 0.8]),
        tensorOf('decoder.module.a.weight_g', [2, 1, 1], [10, -1]),
        tensorOf('module.b.parametrizations.weight.original0', [1, 1, 1], [2]),
        tensorOf('module.b.parametrizations.weight.original1', [1, 2, 1], [0, 5]),
        tensorOf('c.bias', [1], [7]),
      ]),
    )
    assert.deepEqual(weights.names, ['decoder.a.weight', 'b.weight', 'c.bias'])
    assert.deepEqual(weights.tensor('decoder.a.weight').dims, [2, 1, 2])
    assert.deepEqual(weights.tensor('decoder.a.weight').floats(), Float32Array.of(6, 8, -0.6, -0.8))
    assert.deepEqual(weights.tensor('b.weight').floats(), Float32Array.of(0, 2))
    assert.deepEqual(weights.tensor('c.bias').floats(), Float32Array.of(7))
    assert.ok(!weights.has('decoder.a.weight_g'))
    assert.throws(() => weights.tensor('d'), SetupError)
  })

  it('names what speaking does not need', () => {
    assert.ok(isUnneeded('bert.pooler.weight') && isUnneeded('bert.embeddings.position_ids'))
    assert.ok(!isUnneeded('bert.embeddings.position_embeddings.weight'))
  })
})

describe('models/kokoro/build', () => {
  const checkpoint = openCheckpoint(folder)
  after(() => checkpoint[Symbol.dispose]())
  const plan = (rename: (name: string) => string[]) =>
    planKokoro(folder, changed(checkpoint, rename), onCpu('float32'))

  it('plans three graphs of every tensor, whatever the precision', () => {
    for (const precision of ['float32', 'int8'] as const) {
      const { graphs, assets } = planKokoro(folder, checkpoint, onCpu(precision))
      assert.deepEqual(
        graphs.map(({ graph }) => graph.name),
        ['text', 'prosody', 'vocoder'],
      )
      assert.deepEqual(assets, ['config.json', 'voices', 'lexicon'])
    }
  })

  it('takes the names of the upstream checkpoint', () => {
    plan((name) => [name.replace('.', '.module.')])
  })

  it('refuses a checkpoint with tensors too many or too few', () => {
    assert.throws(
      () => plan((name) => (name === 'decoder.F0_conv.bias' ? [name, 'decoder.extra.weight'] : [name])),
      fails(/decoder\.extra\.weight/),
    )
    const without = checkpointOf([tensorOf('decoder.F0_conv.bias', [1], [0])])
    assert.throws(() => planKokoro(folder, without, onCpu('float32')), fails(/no tensor bert\./))
  })
})
