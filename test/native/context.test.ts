import assert from 'node:assert/strict'
import type { DeviceBuffer, Engine, Native, Stream } from '#src/runtime/addon.js'
import { runChild } from './child.js'
import { failure, makeEngine, onDevice, openNative, read, sized, write } from './native.js'
import { describeNative } from './toolchain.js'

describeNative('context', () => {
  let native: Native
  let stream: Stream
  before(async () => {
    native = await openNative()
    stream = new native.Stream()
  })

  describe('with open sizes', () => {
    let engine: Engine
    before(async () => {
      engine = await makeEngine(
        native,
        ['input a float32 [B,3]', 'input b float32 [B,3]', 'c = mul a b', 's = sum c', 'output c s'],
        [1, 4].map((most) => ({ a: sized([1, 3], [1, 3], [most, 3]), b: sized([1, 3], [1, 3], [most, 3]) })),
      )
    })

    it('computes what the shapes say, and again after they changed', () => {
      const context = engine.createContext(1, stream)
      assert.equal(context.profile, 1)
      const [a, b] = [
        [1, 2, 3, 4, 5, 6],
        [2, 2, 2, 3, 3, 3],
      ].map((values) => onDevice(native, stream, Float32Array.from(values))) as [DeviceBuffer, DeviceBuffer]
      const [c, s] = [new native.DeviceBuffer(64), new native.DeviceBuffer(64)]
      for (const [name, buffer] of Object.entries({ a, b, c, s })) context.setAddress(name, buffer)
      context.setShape('a', [2, 3])
      context.setShape('b', [2, 3])
      assert.deepEqual(context.shape('c'), [2, 3])
      assert.deepEqual(context.shape('s'), [2, 1])
      assert.deepEqual(context.shape('a'), [2, 3])
      context.enqueue(stream)
      assert.deepEqual(read(native, stream, c, 24), [2, 4, 6, 12, 15, 18])
      assert.deepEqual(read(native, stream, s, 8), [12, 45])
      context.setShape('a', [1, 3])
      context.setShape('b', [1, 3])
      write(native, stream, a, Float32Array.of(5, 5, 5, 5, 5, 5))
      context.enqueue(stream)
      assert.deepEqual(read(native, stream, c, 24), [10, 10, 10, 12, 15, 18])
      assert.deepEqual(context.shape('s'), [1, 1])
    })

    it('refuses shapes that its profile does not allow, and keeps the one it had', () => {
      const context = engine.createContext(0, stream)
      context.setShape('a', [1, 3])
      for (const dims of [[2, 3], [0, 3], [1, 4], [1], [1, 3, 1], []])
        assert.throws(
          () => context.setShape('a', dims),
          failure('misuse', /input "a" cannot be \[.*\]: profile 0 allows \[1, 3\] to \[1, 3\]/),
        )
      assert.deepEqual(context.shape('a'), [1, 3])
      const wide = engine.createContext(1, stream)
      assert.throws(
        () => wide.setShape('a', [5, 3]),
        failure('misuse', /profile 1 allows \[1, 3\] to \[4, 3\]/),
      )
      assert.throws(() => wide.setShape('a', [1, 1, 1, 1, 1, 1, 1, 1, 1]), failure('misuse', /9 dimensions/))
      assert.throws(() => wide.setShape('a', [1.5, 3]), failure('misuse', /must be an integer/))
      assert.throws(() => wide.setShape('a', [-1, 3]), failure('misuse', /must be an integer/))
      assert.throws(() => wide.setShape('a', 'x' as never), failure('misuse', /must be an array of sizes/))
    })

    it('refuses names that it has not, and shapes of outputs', () => {
      const context = engine.createContext(0, stream)
      const buffer = new native.DeviceBuffer(256)
      const unknown = failure('misuse', /the engine has no tensor "d", only a, b, c, s/)
      assert.throws(() => context.setShape('d', [1, 3]), unknown)
      assert.throws(() => context.shape('d'), unknown)
      assert.throws(() => context.setAddress('d', buffer), unknown)
      assert.throws(
        () => context.setShape('c', [1, 3]),
        failure('misuse', /"c" is an output: its shape follows/),
      )
    })

    it('does not begin before every input has a shape and every tensor an address with room', () => {
      const context = engine.createContext(1, stream)
      const enqueue = () => context.enqueue(stream)
      assert.throws(() => context.shape('c'), failure('misuse', /input "a" has no shape yet/))
      assert.throws(enqueue, failure('misuse', /input "a" has no shape yet: call setShape\(\) first/))
      context.setShape('a', [4, 3])
      assert.throws(enqueue, failure('misuse', /input "b" has no shape yet/))
      context.setShape('b', [4, 3])
      assert.throws(enqueue, failure('misuse', /"a" has no address: call setAddress\(\) first/))
      const buffer = new native.DeviceBuffer(256 + 48)
      for (const name of ['a', 'b', 'c']) context.setAddress(name, buffer, 256)
      assert.throws(enqueue, failure('misuse', /"s" has no address/))
      context.setAddress('s', new native.DeviceBuffer(15))
      assert.throws(
        enqueue,
        failure('misuse', /"s" of \[4, 1\] needs 16 bytes, but from its offset the buffer has only 15/),
      )
      context.setAddress('s', new native.DeviceBuffer(16))
      enqueue()
      stream.synchronize()
    })

    it('refuses addresses that are not aligned or outside, and buffers that are none', () => {
      const context = engine.createContext(0, stream)
      const buffer = new native.DeviceBuffer(1024)
      for (const offset of [1, 4, 128, 255])
        assert.throws(
          () => context.setAddress('a', buffer, offset),
          failure('misuse', /must be a multiple of 256/),
        )
      assert.throws(
        () => context.setAddress('a', buffer, 1024),
        failure('misuse', /lies outside of the buffer's 1024/),
      )
      assert.throws(
        () => context.setAddress('a', stream as never),
        failure('misuse', /must be a DeviceBuffer or a PinnedBuffer/),
      )
      buffer.dispose()
      assert.throws(() => context.setAddress('a', buffer), failure('misuse', /this DeviceBuffer is disposed/))
    })

    it('does not begin with shapes that do not go together', () => {
      const context = engine.createContext(1, stream)
      context.setShape('a', [2, 3])
      context.setShape('b', [3, 3])
      const buffer = new native.DeviceBuffer(256)
      for (const name of ['a', 'b', 'c', 's']) context.setAddress(name, buffer)
      assert.throws(() => context.enqueue(stream), failure('misuse', /the shape of "c"/))
    })

    it('keeps the buffers that are bound', () => {
      const context = engine.createContext(0, stream)
      context.setShape('a', [1, 3])
      context.setShape('b', [1, 3])
      const a = onDevice(native, stream, Float32Array.of(1, 2, 3))
      const out = new native.DeviceBuffer(12)
      context.setAddress('a', a)
      context.setAddress('b', a)
      context.setAddress('s', new native.DeviceBuffer(4))
      context.setAddress('c', out)
      a.dispose()
      context.enqueue(stream)
      assert.deepEqual(read(native, stream, out), [1, 4, 9])
      context.dispose()
      context.dispose()
      assert.throws(() => context.enqueue(stream), failure('misuse', /this ExecutionContext is disposed/))
    })
  })

  it('binds a cache’s output with its input, and writes the rows in place', async () => {
    const engine = await makeEngine(native, [
      'input past float32 [2,1,4,2]',
      'input new float32 [2,1,1,2]',
      'input index int32 [2]',
      'present = kv_update past new index',
      'output present',
    ])
    const context = engine.createContext(0, stream)
    const past = onDevice(native, stream, new Float32Array(16))
    const rows = onDevice(native, stream, Float32Array.of(1, 2, 3, 4))
    const index = onDevice(native, stream, Int32Array.of(0, 2))
    context.setAddress('new', rows)
    context.setAddress('index', index)
    assert.throws(
      () => context.setAddress('present', new native.DeviceBuffer(64)),
      failure('misuse', /output "present" is bound with its input "past": bind that one/),
    )
    context.setAddress('past', past)
    context.enqueue(stream)
    assert.deepEqual(read(native, stream, past), [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0])
    write(native, stream, index, Int32Array.of(3, 4))
    context.enqueue(stream)
    const after = [1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0]
    assert.deepEqual(read(native, stream, past), after, 'a row outside of the cache is left out')
  })

  it('reads tensors of the host when it is told to begin', async () => {
    const engine = await makeEngine(native, [
      'kernel 30',
      'input x float32 [2] host',
      'y = add x x',
      'output y',
    ])
    const context = engine.createContext(0, stream)
    const x = new native.PinnedBuffer(8)
    const y = new native.DeviceBuffer(8)
    assert.throws(
      () => context.setAddress('x', y),
      failure('misuse', /"x" is read in host memory: bind a PinnedBuffer/),
    )
    context.setAddress('x', x)
    context.setAddress('y', y)
    new Float32Array(x.array).set([1, 2])
    context.enqueue(stream)
    new Float32Array(x.array).set([100, 200])
    assert.deepEqual(read(native, stream, y), [2, 4])
  })

  it('gives TensorRT’s words when the work cannot be enqueued', async () => {
    const engine = await makeEngine(native, [
      'fail enqueue a tactic is gone',
      'input x float32 [1]',
      'y = add x x',
      'output y',
    ])
    const context = engine.createContext(0, stream)
    const buffer = new native.DeviceBuffer(4)
    context.setAddress('x', buffer)
    context.setAddress('y', buffer)
    assert.throws(
      () => context.enqueue(stream),
      failure('tensorrt', /could not enqueue the work: .*a tactic is gone/),
    )
    assert.throws(() => context.enqueue({} as never), failure('misuse', /stream must be a Stream/))
  })

  describe('with activations that are shared', () => {
    const program = ['activations 512', 'kernel 2', 'input x float32 [size]', 'y = add x x', 'output y']
    const profiles = [1, 2].map((most) => ({ x: sized([1], [1], [most]) }))
    let engine: Engine
    before(async () => {
      engine = await makeEngine(native, program, profiles)
    })

    /** A context of the profile that doubles `values`. */
    function doubling(profile: number, activations: DeviceBuffer, ...values: number[]) {
      const context = engine.createContext(profile, stream, activations)
      const y = new native.DeviceBuffer(values.length * 4)
      context.setShape('x', [values.length])
      context.setAddress('x', onDevice(native, stream, Float32Array.from(values)))
      context.setAddress('y', y)
      return { context, y }
    }

    it('runs one after another, recorded or not, in the memory of the greediest', () => {
      const needed = Math.max(engine.activationBytes(0), engine.activationBytes(1))
      assert.equal(needed, 1024)
      const { free } = native.memory()
      const shared = new native.DeviceBuffer(needed)
      const contexts = [0, 1, 1].map((profile) => engine.createContext(profile, stream, shared))
      assert.equal(free - native.memory().free, needed)
      for (const context of contexts) context.dispose()

      const runs = [doubling(0, shared, 1), doubling(1, shared, 2, 3), doubling(1, shared, 4)]
      const recorded = runs[1]!
      recorded.context.enqueue(stream)
      stream.synchronize()
      stream.beginCapture()
      recorded.context.enqueue(stream)
      const graph = stream.endCapture()!
      for (let round = 0; round < 3; round++)
        for (const run of runs) {
          if (run === recorded) graph.launch(stream)
          else run.context.enqueue(stream)
        }
      assert.deepEqual(
        runs.map(({ y }) => read(native, stream, y)),
        [[2], [4, 6], [8]],
      )
    })

    it('refuses memory that is too small, or no buffer', () => {
      const { free } = native.memory()
      const small = new native.DeviceBuffer(1023)
      assert.throws(
        () => engine.createContext(1, stream, small),
        failure('misuse', /profile 1 needs 1024 bytes of activations, but the buffer has only 1023/),
      )
      engine.createContext(0, stream, small).dispose()
      assert.throws(
        () => engine.createContext(0, stream, new native.PinnedBuffer(4096) as never),
        failure('misuse', /activations must be a DeviceBuffer/),
      )
      small.dispose()
      assert.equal(native.memory().free, free, 'nothing of what was refused is left')
      assert.throws(
        () => engine.createContext(0, stream, small),
        failure('misuse', /this DeviceBuffer is disposed/),
      )
    })

    it('keeps it as long as a context or a recording does', () => {
      const shared = new native.DeviceBuffer(1 << 20)
      const { context, y } = doubling(0, shared, 7)
      const { free } = native.memory()
      context.enqueue(stream)
      stream.beginCapture()
      context.enqueue(stream)
      const graph = stream.endCapture()!
      shared.dispose()
      context.enqueue(stream)
      assert.deepEqual(read(native, stream, y), [14])
      context.dispose()
      assert.equal(native.memory().free, free)
      graph.launch(stream)
      assert.deepEqual(read(native, stream, y), [14])
      graph.dispose()
      assert.ok(native.memory().free >= free + (1 << 20), 'it goes with the last')
    })

    it('must not run on two streams at a time', async () => {
      const { code, stdout, stderr } = await runChild('arena')
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.match(stderr, /^fake SDK: two inferences used the same activation memory at a time/)
    })
  })

  it('runs several contexts of one engine side by side on streams of their own', async () => {
    const held = ['gate g', 'input g int32 [1]', 'input x float32 [1]', 'y = add x x', 'output y']
    const engine = await makeEngine(native, held)
    const runs = [1, 2, 3].map((value) => {
      const own = new native.Stream()
      const context = engine.createContext(0, own)
      const gate = new native.PinnedBuffer(4)
      const opened = new Int32Array(gate.array).fill(0)
      const y = new native.DeviceBuffer(4)
      const bound = { g: gate, x: onDevice(native, own, Float32Array.of(value)), y }
      for (const [name, buffer] of Object.entries(bound)) context.setAddress(name, buffer)
      return { own, context, y, letGo: () => opened.fill(1) }
    })
    for (const { own, context } of runs) context.enqueue(own)
    const last = runs.toReversed().map(({ own, y, letGo }) => {
      letGo()
      return read(native, own, y)
    })
    assert.deepEqual(last, [[6], [4], [2]], 'the last is done while the first ones wait')
  })
})
