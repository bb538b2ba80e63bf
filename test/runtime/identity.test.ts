import assert from 'node:assert/strict'
import { type EngineSettings, engineIdentities, engineOptions } from '#src/runtime/identity.js'

describe('runtime/identity', () => {
  const settings: EngineSettings = {
    runtime: 'tensorrt',
    precision: null,
    slots: 4,
    stateBytes: 2 ** 30,
    device: 0,
    libraries: null,
  }

  it('has of the settings what is part of a family’s engine, and the runtime’s default of the precision', () => {
    assert.deepEqual(engineOptions('llama', settings), {
      precision: 'float16',
      slots: 4,
      stateBytes: 2 ** 30,
    })
    assert.deepEqual(engineOptions('whisper', settings), { precision: 'float16', slots: 4 })
    assert.deepEqual(engineOptions('kokoro', { ...settings, precision: 'float32' }), { precision: 'float32' })
    const cpu = { ...settings, runtime: 'onnxruntime' } as const
    for (const family of ['llama', 'whisper', 'kokoro'] as const)
      assert.deepEqual(engineOptions(family, cpu), { precision: 'int8' })
  })

  it('asks for no GPU where the CPU runs the engines', () => {
    const identityOf = engineIdentities({
      ...settings,
      runtime: 'onnxruntime',
      device: 7,
      libraries: '/nowhere',
    })
    assert.deepEqual(Object.keys(identityOf('kokoro')), ['builder', 'options'])
    assert.match(identityOf('kokoro').builder, /^[0-9a-f]{16}$/)
  })
})
