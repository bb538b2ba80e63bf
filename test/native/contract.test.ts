/** The names of src/runtime/addon.ts and what the compiled addon has are one list. */
import assert from 'node:assert/strict'
import { addon, makeEngine, openNative } from './native.js'
import { describeNative } from './toolchain.js'

const names = {
  native: [
    ...['headers', 'load', 'devices', 'setDevice', 'memory', 'onLog', 'inspect', 'build', 'loadEngine'],
    ...['DeviceBuffer', 'PinnedBuffer', 'Stream', 'Event'],
  ],
  deviceBuffer: ['bytes', 'dispose'],
  pinnedBuffer: ['bytes', 'array', 'dispose'],
  event: ['query', 'synchronize', 'since', 'dispose'],
  stream: [
    ...['upload', 'download', 'copy', 'fill', 'record', 'wait', 'beginCapture', 'endCapture', 'synchronize'],
    'dispose',
  ],
  graph: ['launch', 'dispose'],
  context: ['profile', 'setShape', 'shape', 'setAddress', 'enqueue', 'dispose'],
  engine: ['tensors', 'profiles', 'weightBytes', 'activationBytes', 'createContext', 'dispose'],
} as const

describeNative('contract', () => {
  it('exports what the contract names, and no more', async () => {
    assert.deepEqual(Object.keys(await addon()).sort(), [...names.native].sort())
  })

  it('gives its objects the members that the contract names, and no more', async () => {
    const native = await openNative()
    const stream = new native.Stream()
    const engine = await makeEngine(native, ['input x float32 [1]', 'y = copy x', 'output y'])
    stream.beginCapture()
    const objects = {
      deviceBuffer: new native.DeviceBuffer(1),
      pinnedBuffer: new native.PinnedBuffer(1),
      event: new native.Event(),
      graph: stream.endCapture()!,
      context: engine.createContext(0, stream),
      engine,
      stream,
    }
    for (const [kind, object] of Object.entries(objects)) {
      const members = Object.getOwnPropertyNames(Object.getPrototypeOf(object))
      const wanted = ['constructor', ...names[kind as keyof typeof objects]]
      assert.deepEqual(members.sort(), wanted.sort(), kind)
      object.dispose()
    }
  })
})
