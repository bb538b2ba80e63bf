/** True ONNX models on the stand-in: parsed, planned, and run by ONNX Runtime on this machine's processor. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type GraphContent, type Node, writeModel } from '#src/graph/file.js'
import type { Engine, Native, Stream } from '#src/runtime/addon.js'
import { failure, newPath, onDevice, openNative, read, sized, write, writeProgram } from './native.js'
import { useOnnxRuntime } from './onnxruntime.js'
import { describeNative } from './toolchain.js'

/** y = x · W with W [4, 300] of ones, beside the graph; twice = x above itself; a cache with one row changed. */
const model: GraphContent = {
  name: 'model',
  target: 'onnxruntime',
  nodes: [
    node('MatMul', ['x', 'w'], 'y'),
    node('Concat', ['x', 'x'], 'twice', { axis: 0 }),
    node('ScatterElements', ['past.0', 'at', 'rows'], 'fresh.0', { axis: 2 }),
  ],
  initializers: [
    {
      value: { name: 'w', dtype: 'float32' },
      dims: [4, 300],
      data: () => new Float32Array(1200).fill(1),
      bytes: 4800,
    },
  ],
  inputs: [
    { name: 'x', dtype: 'float32', dims: ['N', 4] },
    { name: 'past.0', dtype: 'float32', dims: [1, 1, 3, 2] },
    { name: 'at', dtype: 'int32', dims: [1, 1, 1, 2] },
    { name: 'rows', dtype: 'float32', dims: [1, 1, 1, 2] },
  ],
  outputs: [
    { name: 'y', dtype: 'float32', dims: ['N', 300] },
    { name: 'twice', dtype: 'float32', dims: ['M', 4] },
    { name: 'fresh.0', dtype: 'float32', dims: [1, 1, 3, 2] },
  ],
}

function node(type: string, inputs: string[], output: string, attributes = {}): Node {
  const named = (name: string) => ({ name, dtype: name === 'at' ? ('int32' as const) : ('float32' as const) })
  return { type, domain: '', name: output, inputs: inputs.map(named), outputs: [named(output)], attributes }
}

describeNative('ONNX models', () => {
  let native: Native
  let stream: Stream
  let engine: Engine
  before(async () => {
    useOnnxRuntime()
    native = await openNative()
    stream = new native.Stream()
    const folder = newPath('model')
    mkdirSync(folder)
    writeModel(folder, model, () => undefined)
    const onnx = join(folder, 'model.onnx')
    const inspected = native.inspect(onnx)
    assert.deepEqual(
      inspected.inputs.map(({ name, dtype, dims }) => [name, dtype, dims]),
      [
        ['x', 'float32', [-1, 4]],
        ['past.0', 'float32', [1, 1, 3, 2]],
        ['at', 'int32', [1, 1, 1, 2]],
        ['rows', 'float32', [1, 1, 1, 2]],
      ],
    )
    const plan = newPath('plan')
    await native.build({ onnx, plan, profiles: [{ x: sized([1, 4], [2, 4], [8, 4]) }], tf32: false }).done
    rmSync(folder, { recursive: true })
    engine = native.loadEngine(plan)
  })

  it('have plans that stand alone, and tell which output is written in place', () => {
    assert.deepEqual(engine.tensors.map(({ name, dims, aliasOf }) => [name, dims, aliasOf]).slice(4), [
      ['y', [-1, 300], null],
      ['twice', [-1, 4], null],
      ['fresh.0', [1, 1, 3, 2], 'past.0'],
    ])
  })

  it('compute on device memory, for each shape, also in a graph', () => {
    const context = engine.createContext(0, stream)
    const buffers = {
      x: onDevice(native, stream, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
      'past.0': onDevice(native, stream, Float32Array.of(1, 1, 2, 2, 3, 3)),
      at: onDevice(native, stream, Int32Array.of(1, 1)),
      rows: onDevice(native, stream, Float32Array.of(9, 8)),
      y: new native.DeviceBuffer(2400),
      twice: new native.DeviceBuffer(64),
    }
    for (const [name, buffer] of Object.entries(buffers)) context.setAddress(name, buffer)
    context.setShape('x', [2, 4])
    assert.deepEqual(
      [context.shape('y'), context.shape('twice')],
      [
        [2, 300],
        [4, 4],
      ],
    )
    context.enqueue(stream)
    const y = read(native, stream, buffers.y)
    assert.deepEqual([y[0], y[299], y[300], y[599]], [10, 10, 26, 26])
    assert.deepEqual(read(native, stream, buffers.twice), [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8])
    assert.deepEqual(read(native, stream, buffers['past.0']), [1, 1, 9, 8, 3, 3])

    context.setShape('x', [1, 4])
    assert.deepEqual(context.shape('twice'), [2, 4])
    context.enqueue(stream)
    stream.beginCapture()
    context.enqueue(stream)
    const graph = stream.endCapture()
    write(native, stream, buffers.x, Float32Array.of(1, 1, 1, 2))
    write(native, stream, buffers.at, Int32Array.of(2, 0))
    graph?.launch(stream)
    assert.equal(read(native, stream, buffers.y)[0], 5)
    assert.deepEqual(read(native, stream, buffers.twice, 32), [1, 1, 1, 2, 1, 1, 1, 2])
    assert.deepEqual(read(native, stream, buffers['past.0']), [1, 8, 9, 8, 9, 3])
  })

  it('are refused in ONNX Runtime’s words', () => {
    assert.throws(
      () => native.inspect(writeProgram('\x08\x0bnonsense')),
      failure('tensorrt', /does not take ".*": .+/),
    )
  })
})
