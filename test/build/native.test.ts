/** The whole way of a TensorRT engine through the real addon, on the stand-in SDK. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readManifest } from '#src/runtime/store.js'
import { onDevice, openNative, read } from '../native/native.js'
import { useOnnxRuntime } from '../native/onnxruntime.js'
import { currentBuild, describeNative } from '../native/toolchain.js'
import { Checkout, model } from './checkout.js'

/** A graph whose .onnx file is a program of the stand-in: y = x + x, for 1 to 8 rows. */
const planner = `
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
const x = { name: 'x', dtype: 'float32', dims: ['rows', 4] }
const program = (process.env.PROGRAM ?? 'steps 3') + '\\ninput x float32 [rows,4]\\ny = add x x\\noutput y\\n'
const graph = {
  name: 'double',
  bytes: 0,
  inputs: [x],
  outputs: [{ ...x, name: 'y' }],
  write: (folder) => {
    writeFileSync(join(folder, 'double.onnx'), program)
    writeFileSync(join(folder, 'double.data'), '')
  },
}
export const planWhisper = () => ({
  graphs: [{ graph, profiles: [{ name: 'any', sizes: { rows: [1, 2, 8] } }], slots: 8 }],
  assets: ['config.json'],
})
`

describeNative('the build of an engine', () => {
  let checkout: Checkout
  let sdk: string
  before(async () => {
    const build = await currentBuild()
    sdk = build.sdk
    checkout = new Checkout({ addon: build.addon, planner })
  })
  after(() => checkout.remove())

  const build = (env: Record<string, string> = {}) => checkout.build({ TENSORRT_LIBRARIES: sdk, ...env })
  const sentence = async (env: Record<string, string>): Promise<string> => {
    const { code, stderr } = await build(env)
    assert.equal(code, 1)
    return stderr.trim().split('\n').at(-1)!
  }

  it('makes a plan that runs, keeps the timings, and is up to date afterwards', async () => {
    const { code, stderr } = await build()
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^engines: tiny compile double$/m)
    assert.deepEqual(readdirSync(checkout.engine).sort(), ['config.json', 'double.plan', 'manifest.json'])
    const { device } = readManifest(checkout.engine)
    assert.ok(device)
    assert.deepEqual(checkout.made, [`.timing-sm${device.sm}-${device.tensorrt}.cache`, model])

    const native = await openNative()
    const stream = new native.Stream()
    const engine = native.loadEngine(join(checkout.engine, 'double.plan'))
    const [x] = engine.tensors
    assert.deepEqual(x?.profiles, [{ min: [1, 4], opt: [2, 4], max: [8, 4] }])
    const context = engine.createContext(0, stream)
    context.setShape('x', [1, 4])
    const input = onDevice(native, stream, Float32Array.of(1, 2, 3, 4))
    const output = new native.DeviceBuffer(16)
    context.setAddress('x', input)
    context.setAddress('y', output)
    context.enqueue(stream)
    assert.deepEqual(read(native, stream, output), [2, 4, 6, 8])
    for (const resource of [context, engine, input, output, stream]) resource.dispose()

    assert.match((await build()).stderr, /^engines: tiny up to date$/m)
  })

  it('makes of true graphs plans that stand alone, their weights in them', async () => {
    useOnnxRuntime()
    const { addon } = await currentBuild()
    const other = new Checkout({ addon })
    const { code, stderr } = await other.build({ TENSORRT_LIBRARIES: sdk })
    assert.equal(code, 0, stderr)
    const files = ['config.json', 'first.plan', 'manifest.json', 'second.plan']
    assert.deepEqual(readdirSync(other.engine).sort(), files)

    const native = await openNative()
    const stream = new native.Stream()
    const engine = native.loadEngine(join(other.engine, 'first.plan'))
    other.remove()
    assert.equal(engine.profiles, 2)
    const context = engine.createContext(1, stream)
    context.setShape('x', [2, 4])
    const buffers = {
      x: onDevice(native, stream, Float32Array.of(1, 0, 0, 0, 0, 0, 0, 1)),
      n: onDevice(native, stream, Float32Array.of(0.5)),
      y: new native.DeviceBuffer(2 * 512 * 4),
    }
    for (const [name, buffer] of Object.entries(buffers)) context.setAddress(name, buffer)
    context.enqueue(stream)
    const y = read(native, stream, buffers.y)
    assert.deepEqual([y[1], y[512]], [4.5, 3.5], 'w[1][0] and w[0][3], and a half each')
    for (const resource of [context, engine, ...Object.values(buffers), stream]) resource.dispose()
  })

  it('builds again where the GPU is another', async () => {
    const before = readManifest(checkout.engine).device
    assert.equal((await build({ FAKE_CUDA_SM: '120' })).code, 0)
    assert.deepEqual(readManifest(checkout.engine).device, { ...before, sm: 120 })
    assert.equal((await build()).code, 0)
    assert.deepEqual(readManifest(checkout.engine).device, before)
  })

  it('says what the parser and the builder say, and leaves the engine as it was', async () => {
    const before = readManifest(checkout.engine)
    for (const where of ['parse', 'build']) {
      const said = await sentence({ PROGRAM: `fail ${where} the ${where} is wrong`, SLOTS: '2' })
      assert.match(said, new RegExp(`^TensorRT did not build the graph double: .*the ${where} is wrong`))
    }
    assert.deepEqual(readManifest(checkout.engine), before)
    assert.ok(!checkout.made.some((name) => name.includes('building')))
  })

  it('stops at what is missing, in order: library, version, driver, GPU', async () => {
    assert.match(await sentence({ TENSORRT_LIBRARIES: join(sdk, 'nowhere') }), /libnvinfer\.so\.11/)
    assert.match(await sentence({ FAKE_TRT_VERSION: '10.9.0.34', FAKE_CUDA_DRIVER: '0' }), /10\.9/)
    assert.match(await sentence({ FAKE_CUDA_DRIVER: '0', FAKE_CUDA_DEVICES: '0' }), /driver/)
    assert.match(await sentence({ FAKE_CUDA_DEVICES: '0' }), /GPU/)
    assert.match(await sentence({ DEVICE: '1' }), /^There is no GPU 1: DEVICE must be one of 0 \(/)
  })

  it('is ended by a signal while TensorRT is at work, and leaves nothing', async () => {
    const before = checkout.made
    const env = { TENSORRT_LIBRARIES: sdk, PROGRAM: 'steps 1000\nslow 100', SLOTS: '2' }
    const args = ['--runtime', 'tensorrt']
    const { pid, ended } = checkout.start(join('scripts', 'build-engines.js'), args, env)
    const deadline = performance.now() + 30_000
    while (!checkout.made.some((name) => name.includes('building'))) {
      assert.ok(performance.now() < deadline, 'the build did not begin')
      await sleep(20)
    }
    await sleep(500)
    const begun = performance.now()
    process.kill(pid, 'SIGTERM')
    assert.equal((await ended).code, null, 'it died of the signal')
    assert.ok(performance.now() - begun < 2000, `${performance.now() - begun} ms`)
    assert.deepEqual(checkout.made, before)
  })
})
