/** Order on streams, between them by events, and what the host may know of it. */
import assert from 'node:assert/strict'
import type { Engine, ExecutionContext, Native, Stream } from '#src/runtime/addon.js'
import { failure, makeEngine, onDevice, openNative, read, write } from './native.js'
import { describeNative } from './toolchain.js'

/** How long the slow engine takes. */
const kernelMs = 60

describeNative('streams', () => {
  let native: Native
  let engine: Engine
  let slow: Stream
  let other: Stream
  before(async () => {
    native = await openNative()
    engine = await makeEngine(native, [
      `kernel ${kernelMs}`,
      'input x float32 [2]',
      'y = add x x',
      'output y',
    ])
    slow = new native.Stream()
    other = new native.Stream()
  })

  /** Work of 60 ms on `slow` that writes [2, 4] to y. */
  function slowWork() {
    const context: ExecutionContext = engine.createContext(0, other)
    const x = onDevice(native, other, Float32Array.of(1, 2))
    const y = onDevice(native, other, Float32Array.of(-1, -1))
    context.setAddress('x', x)
    context.setAddress('y', y)
    const begun = performance.now()
    context.enqueue(slow)
    return { context, x, y, begun }
  }

  it('returns at once, and waits where it is told to', () => {
    const { y, begun } = slowWork()
    assert.ok(performance.now() - begun < kernelMs / 2)
    assert.deepEqual(read(native, other, y), [-1, -1], 'another stream does not wait')
    slow.synchronize()
    assert.ok(performance.now() - begun >= kernelMs)
    assert.deepEqual(read(native, other, y), [2, 4])
  })

  it('runs what is on one stream in order', () => {
    const { x, y } = slowWork()
    slow.copy(x, 0, y, 4, 4)
    slow.fill(y, 0, 4, 0)
    assert.deepEqual(read(native, slow, x), [4, 2])
    assert.deepEqual(read(native, slow, y), [0, 4])
  })

  it('lets a stream wait for an event of another, without the host', () => {
    const { y, begun } = slowWork()
    const done = new native.Event()
    slow.record(done)
    other.wait(done)
    const copy = new native.DeviceBuffer(8)
    other.copy(copy, 0, y, 0, 8)
    assert.ok(performance.now() - begun < kernelMs / 2)
    assert.deepEqual(read(native, other, copy), [2, 4])
  })

  it('tells by an event what is done, and how long it took', () => {
    const [before, after] = [new native.Event(), new native.Event()]
    assert.equal(after.query(), true, 'nothing was recorded')
    slow.record(before)
    const { y } = slowWork()
    slow.record(after)
    assert.equal(after.query(), false)
    assert.throws(() => after.since(before), failure('cuda', /cudaErrorNotReady/))
    after.synchronize()
    assert.equal(after.query(), true)
    assert.deepEqual(read(native, other, y), [2, 4])
    assert.ok(
      after.since(before) >= kernelMs && after.since(before) < 20 * kernelMs,
      `${after.since(before)} ms`,
    )
    assert.throws(() => after.since(new native.Event()), failure('cuda', /cudaErrorInvalidResourceHandle/))
  })

  it('waits for the record that an event has now, not for later ones', () => {
    const event = new native.Event()
    other.record(event)
    const { begun } = slowWork()
    event.synchronize()
    assert.ok(performance.now() - begun < kernelMs / 2)
    slow.record(event)
    event.synchronize()
    assert.ok(performance.now() - begun >= kernelMs)
  })

  it('keeps what is disposed of until the work with it is done', () => {
    const { context, x, y } = slowWork()
    context.dispose()
    x.dispose()
    assert.deepEqual(read(native, other, y), [2, 4], 'disposing of the context waited')
    const again = slowWork()
    const done = new native.Event()
    const stream = new native.Stream()
    slow.record(done)
    stream.wait(done)
    stream.copy(again.x, 0, again.y, 0, 8)
    const copied = new native.Event()
    stream.record(copied)
    for (const used of [stream, done, again.y]) used.dispose()
    copied.synchronize()
    assert.deepEqual(read(native, other, again.x), [2, 4])
  })

  it('refuses disposed streams and events, and what is neither', () => {
    const stream = new native.Stream()
    const event = new native.Event()
    stream.dispose()
    event.dispose()
    stream.dispose()
    assert.throws(() => stream.synchronize(), failure('misuse', /this Stream is disposed/))
    assert.throws(() => stream.record(event), failure('misuse', /this Stream is disposed/))
    assert.throws(() => slow.record(event), failure('misuse', /this Event is disposed/))
    assert.throws(() => slow.wait(other as never), failure('misuse', /event must be an? Event/))
    assert.throws(() => event.query(), failure('misuse', /this Event is disposed/))
    write(native, slow, new native.DeviceBuffer(4), Float32Array.of(1))
  })
})
