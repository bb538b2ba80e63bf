/** Capture and replay: shapes and addresses are frozen, contents are not. */
import assert from 'node:assert/strict'
import type { Engine, Native, Stream } from '#src/runtime/addon.js'
import { failure, makeEngine, onDevice, openNative, read, sized, write } from './native.js'
import { describeNative } from './toolchain.js'

const range = { x: sized([1], [2], [4]) }
const doubling = ['input x float32 [N]', 'y = add x x', 'output y']

describeNative('graph', () => {
  let native: Native
  let stream: Stream
  let engine: Engine
  before(async () => {
    native = await openNative()
    engine = await makeEngine(native, doubling, [range])
  })
  beforeEach(() => {
    stream = new native.Stream()
  })
  afterEach(() => stream.dispose())

  /** A context of two elements, run once. */
  function settled(of = engine) {
    const context = of.createContext(0, stream)
    const x = onDevice(native, stream, Float32Array.of(1, 2, 3, 4))
    const y = onDevice(native, stream, Float32Array.of(0, 0, 0, 0))
    context.setAddress('x', x)
    context.setAddress('y', y)
    context.setShape('x', [2])
    context.enqueue(stream)
    stream.synchronize()
    return { context, x, y }
  }

  it('records without running, and replays with new contents and the same shapes', () => {
    const { context, x, y } = settled()
    const input = new native.PinnedBuffer(8)
    const output = new native.PinnedBuffer(8)
    const [sent, got] = [new Float32Array(input.array), new Float32Array(output.array)]
    got.fill(-1)
    stream.beginCapture()
    stream.upload(x, 0, input, 0, 8)
    context.enqueue(stream)
    stream.fill(y, 12, 4, 0)
    stream.download(output, 0, y, 0, 8)
    const graph = stream.endCapture()
    assert.ok(graph)
    stream.synchronize()
    assert.deepEqual([...got], [-1, -1], 'nothing ran')
    for (const values of [
      [5, 6],
      [7, 8],
    ]) {
      sent.set(values)
      graph.launch(stream)
      stream.synchronize()
      assert.deepEqual(
        [...got],
        values.map((value) => 2 * value),
      )
    }
    context.setShape('x', [4])
    sent.set([1, 1])
    graph.launch(stream)
    stream.synchronize()
    assert.deepEqual(read(native, stream, y), [2, 2, 0, 0], 'a graph keeps the shapes it was recorded with')
    graph.dispose()
    graph.dispose()
    assert.throws(() => graph.launch(stream), failure('misuse', /this Graph is disposed/))
  })

  it('replays on another stream than the one it was recorded on', () => {
    const { context, x, y } = settled()
    stream.beginCapture()
    context.enqueue(stream)
    const graph = stream.endCapture()
    write(native, stream, x, Float32Array.of(10, 20))
    const other = new native.Stream()
    graph?.launch(other)
    assert.deepEqual(read(native, other, y, 8), [20, 40])
  })

  it('keeps what it uses: context, engine, buffers', async () => {
    const { context, x, y } = settled(await makeEngine(native, doubling, [range]))
    const copy = new native.DeviceBuffer(8)
    stream.beginCapture()
    context.enqueue(stream)
    stream.copy(copy, 0, y, 0, 8)
    const graph = stream.endCapture()
    for (const used of [context, x, y]) used.dispose()
    graph?.launch(stream)
    assert.deepEqual(read(native, stream, copy), [2, 4])
    const before = native.memory().free
    graph?.dispose()
    assert.ok(native.memory().free > before, 'and gives it back')
  })

  it('keeps the buffers it was recorded with when its context is bound to others', () => {
    const { context, x, y } = settled()
    stream.beginCapture()
    context.enqueue(stream)
    const graph = stream.endCapture()
    context.setAddress('x', onDevice(native, stream, Float32Array.of(50, 60)))
    x.dispose()
    stream.fill(y, 0, 16, 0)
    graph?.launch(stream)
    assert.deepEqual(read(native, stream, y, 8), [2, 4])
    context.enqueue(stream)
    assert.deepEqual(read(native, stream, y, 8), [100, 120])
  })

  it('is null for work that cannot be recorded, and the stream goes on', async () => {
    const { context, y } = settled(await makeEngine(native, ['uncapturable', ...doubling], [range]))
    stream.fill(y, 0, 16, 0)
    stream.beginCapture()
    stream.fill(y, 0, 16, 1)
    context.enqueue(stream)
    stream.fill(y, 0, 16, 1)
    assert.equal(stream.endCapture(), null)
    assert.deepEqual(read(native, stream, y), [0, 0, 0, 0], 'nothing of it ran')
    context.enqueue(stream)
    assert.deepEqual(read(native, stream, y), [2, 4, 0, 0])
    const capturable = settled()
    stream.beginCapture()
    capturable.context.enqueue(stream)
    assert.ok(stream.endCapture())
  })

  it('wants the work to have run before, and again after its shapes changed', () => {
    const { context } = settled()
    const captured = () => {
      stream.beginCapture()
      try {
        context.enqueue(stream)
      } finally {
        stream.endCapture()
      }
    }
    captured()
    context.setShape('x', [2])
    captured()
    context.setShape('x', [3])
    assert.throws(captured, failure('misuse', /has not run since its shapes were set: enqueue it once/))
    context.enqueue(stream)
    captured()
  })

  it('refuses what has no place in a capture', () => {
    const { y } = settled()
    assert.throws(
      () => stream.endCapture(),
      failure('misuse', /not being captured: call beginCapture\(\) first/),
    )
    stream.beginCapture()
    assert.throws(() => stream.beginCapture(), failure('misuse', /being captured already/))
    assert.throws(() => stream.synchronize(), failure('misuse', /runs nothing to wait for/))
    assert.throws(() => engine.createContext(0, stream), failure('misuse', /stream that is being captured/))
    const graph = stream.endCapture()
    assert.ok(graph, 'none of these spoilt it')
    stream.beginCapture()
    assert.throws(
      () => graph.launch(stream),
      failure('misuse', /cannot be launched into a stream that is being captured/),
    )
    assert.ok(stream.endCapture())
    assert.deepEqual(read(native, stream, y, 8), [2, 4])
  })

  it('lets the thread make and free what it likes meanwhile, and other streams run', () => {
    const { context, x, y } = settled()
    const elsewhere = settled()
    const other = new native.Stream()
    const early = new native.DeviceBuffer(256)
    stream.beginCapture()
    const made = [
      new native.DeviceBuffer(1),
      new native.PinnedBuffer(1),
      new native.Stream(),
      new native.Event(),
    ]
    for (const object of [...made, early]) object.dispose()
    engine.createContext(0, other).dispose()
    elsewhere.context.enqueue(other)
    write(native, other, x, Float32Array.of(3, 3))
    context.enqueue(stream)
    const graph = stream.endCapture()
    assert.ok(graph)
    graph.launch(stream)
    assert.deepEqual(read(native, stream, y, 8), [6, 6])
  })

  it('is spoilt by the first run of another context on the thread, which prepares itself', () => {
    const { context, x, y } = settled()
    const other = new native.Stream()
    const late = engine.createContext(0, other)
    late.setAddress('x', x)
    late.setAddress('y', y)
    late.setShape('x', [1])
    stream.beginCapture()
    context.enqueue(stream)
    assert.throws(() => late.enqueue(other), failure('tensorrt', /not permitted when stream is capturing/))
    assert.equal(stream.endCapture(), null)
    late.enqueue(other)
    context.enqueue(stream)
    assert.deepEqual(read(native, stream, y, 8), [2, 4])
    other.synchronize()
  })

  it('is spoilt by an event from outside, and by nothing of its own', () => {
    const { context } = settled()
    const [inside, outside] = [new native.Event(), new native.Event()]
    const other = new native.Stream()
    other.record(outside)
    stream.beginCapture()
    context.enqueue(stream)
    stream.record(inside)
    stream.wait(inside)
    assert.ok(stream.endCapture())
    stream.beginCapture()
    stream.wait(outside)
    assert.equal(stream.endCapture(), null)
    stream.synchronize()
  })

  it('is given up with its stream, also if the recorded work ran on it before', () => {
    const { context } = settled()
    const given = new native.Stream()
    context.enqueue(given)
    given.synchronize()
    given.beginCapture()
    context.enqueue(given)
    given.dispose()
    settled().context.dispose()
    context.enqueue(stream)
    stream.synchronize()
  })
})
