/** From the libraries to a GPU: each thing that can be missing is one sentence. */
import assert from 'node:assert/strict'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askChild } from './child.js'
import { newPath } from './native.js'
import { currentBuild, describeNative } from './toolchain.js'

interface Failed {
  readonly code: string
  readonly message: string
}
type Steps = Record<
  'early' | 'load' | 'again' | 'other' | 'devices' | 'inspect' | 'buffer' | 'engine' | 'setDevice',
  Failed & { readonly value: unknown }
> & { readonly headers: string }

describeNative('load', () => {
  let sdk: string
  before(async () => {
    sdk = (await currentBuild()).sdk
  })

  const load = (folder: string, env: Record<string, string> = {}) =>
    askChild<Steps>('load', { args: [folder], env })
  /** The stand-in without one of its libraries. */
  function without(library: string): string {
    const folder = newPath('sdk')
    cpSync(sdk, folder, { recursive: true })
    rmSync(join(folder, library))
    return folder
  }

  it('tells the versions, and gives the first answer again', async () => {
    const steps = await load(sdk, { FAKE_TRT_VERSION: '11.2.1.5' })
    const versions = { tensorrt: '11.2.1.5', parser: '0.1.0', cudaRuntime: '13.3', headers: '11.1.0.106' }
    assert.equal(steps.headers, '11.1.0.106')
    assert.deepEqual(steps.load, { value: versions })
    assert.deepEqual(steps.again, { value: versions })
    assert.equal(steps.early.code, 'misuse')
    assert.match(steps.early.message, /call load\(\) first/)
    assert.equal(steps.other.code, 'misuse')
    assert.match(steps.other.message, /another folder needs another process/)
    assert.equal(steps.buffer.code, 'misuse')
    assert.match(steps.buffer.message, /call setDevice\(\) first/)
    assert.equal(steps.engine.code, 'misuse')
    assert.deepEqual(steps.setDevice, { value: null })
  })

  for (const [library, advice] of [
    ['libnvinfer.so.11', /: install TensorRT 11 \(/],
    ['libnvonnxparser.so.11', /: install the ONNX parser of TensorRT 11/],
    ['libcudart.so.13', /: install CUDA's runtime/],
  ] as const)
    it(`says that ${library} is missing, what to install, and the same again`, async () => {
      const steps = await load(without(library))
      assert.equal(steps.load.code, 'library')
      assert.ok(steps.load.message.includes(library), steps.load.message)
      assert.match(steps.load.message, advice)
      assert.deepEqual(steps.again, steps.load)
      assert.equal(steps.devices.code, 'misuse')
    })

  it('says that a library is not the one it should be', async () => {
    const folder = without('libnvonnxparser.so.11')
    cpSync(join(folder, 'libcudart.so.13'), join(folder, 'libnvonnxparser.so.11'))
    const { load: loaded } = await load(folder)
    assert.equal(loaded.code, 'library')
    assert.match(loaded.message, /libnvonnxparser\.so\.11 has no function getNvOnnxParserVersion/)
  })

  it('says what is no library at all', async () => {
    const folder = without('libnvinfer.so.11')
    writeFileSync(join(folder, 'libnvinfer.so.11'), 'nothing')
    const { load: loaded } = await load(folder)
    assert.equal(loaded.code, 'library')
    assert.match(loaded.message, /could not be opened/)
  })

  it('refuses another major version than the headers’', async () => {
    const { load: loaded } = await load(sdk, { FAKE_TRT_VERSION: '10.9.0.34' })
    assert.equal(loaded.code, 'version')
    assert.match(loaded.message, /is TensorRT 10\.9\.0\.34 .*headers of 11\.1\.0\.106.*build:native/)
  })

  for (const [what, env, code, message] of [
    [
      'no driver',
      { FAKE_CUDA_DRIVER: '0' },
      'driver',
      /no NVIDIA driver was found: install one that supports CUDA 13/,
    ],
    [
      'an old driver',
      { FAKE_CUDA_DRIVER: '12040' },
      'driver',
      /supports CUDA 12\.4 but CUDA's runtime is 13\.3/,
    ],
    ['no GPU', { FAKE_CUDA_DEVICES: '0' }, 'device', /shows no GPU: check nvidia-smi/],
    [
      'an old GPU',
      { FAKE_CUDA_SM: '70' },
      'device',
      /Fake GPU 0 has compute capability 7\.0 but TensorRT needs 7\.5/,
    ],
  ] as const)
    it(`says that there is ${what}, before TensorRT is asked for anything`, async () => {
      const steps = await load(sdk, env)
      assert.ok('value' in steps.load)
      for (const failed of [steps.devices, steps.setDevice, steps.inspect]) {
        assert.equal(failed.code, code)
        assert.match(failed.message, message)
        assert.ok(!failed.message.includes('\n'))
      }
      assert.equal(steps.buffer.code, 'misuse')
    })

  it('inspects without a driver where TensorRT itself can', async () => {
    const env = { FAKE_CUDA_DRIVER: '0', TRT_INTERNAL_OPTIONS: '--cpu_only=1' }
    const steps = await load(sdk, env)
    const tensor = (name: string) => ({ name, dtype: 'float32', dims: [2] })
    assert.deepEqual(steps.inspect, { value: { layers: 1, inputs: [tensor('x')], outputs: [tensor('y')] } })
    assert.equal(steps.devices.code, 'driver')
  })

  it('lists the GPUs, and takes those that TensorRT supports', async () => {
    const env = {
      FAKE_CUDA_DEVICES: '3',
      FAKE_CUDA_SM: '70,75,120',
      FAKE_CUDA_DRIVER: '14010',
      FAKE_CUDA_MEMORY: '4096',
    }
    const steps = await load(sdk, env)
    const device = (index: number, sm: number) => ({
      index,
      name: `Fake GPU ${index}`,
      sm,
      memoryBytes: 4096,
      driver: '14.1',
    })
    assert.deepEqual(steps.devices, { value: [device(0, 70), device(1, 75), device(2, 120)] })
    assert.equal(steps.setDevice.code, 'device')
    assert.match(steps.setDevice.message, /^GPU 0 cannot be used: Fake GPU 0/)
  })
})
