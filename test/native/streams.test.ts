/** Order on streams, between them by events, and what the host may know of it. */
import assert from 'node:assert/strict'
import type { Engine, Native, Stream } from '#src/runtime/addon.js'
import { failure, makeEngine, onDevice, openNative, read } from './native.js'
import { describeNative } from './toolchain.js'

describeNative('streams', () => {
  let native: Native
  let engine: Engine
  let stream: Stream
  let other: Stream
  before(async () => {
    native = await openNative()
    engine = await makeEngine(native, [
      'gate g',
      'input g int32 [1]',
      'input x float32 [2]',
      'y = add x x',
      'output y',
    ])
    stream = new native.Stream()
    other = new native.Stream()
  })

  /** Work on `stream` that turns y from [-1, -1] to [2, 4] once it is let go. */
  function heldWork() {
    const context = engine.createContext(0, other)
    const x = onDevice(native, other, Float32Array.of(1, 2))
    const y = onDevice(native, other, Float32Array.of(-1, -1))
    const gate = new native.PinnedBuffer(4)
    const opened = new Int32Array(gate.array).fill(0)
    for (const [name, buffer] of Object.entries({ x, y, g: gate })) context.setAddress(name, buffer)
    context.enqueue(stream)
    return { context, x, y, letGo: () => opened.fill(1) }
  }

  it('returns at once, and waits where it is told to', () => {
    const { y, letGo } = heldWork()
    assert.deepEqual(read(native, other, y), [-1, -1], 'another stream does not wait')
    letGo()
    stream.synchronize()
    assert.deepEqual(read(native, other, y), [2, 4])
  })

  it('blocks the thread as long as the work takes', async () => {
    const slow = await makeEngine(native, ['kernel 80', 'input x float32 [1]', 'y = copy x', 'output y'])
    const context = slow.createContext(0, stream)
    for (const name of ['x', 'y']) context.setAddress(name, new native.DeviceBuffer(4))
    const [before, after] = [new native.Event(), new native.Event()]
    const begun = performance.now()
    stream.record(before)
    context.enqueue(stream)
    stream.record(after)
    after.synchronize()
    assert.ok(performance.now() - begun >= 80)
    assert.ok(after.since(before) >= 80 && after.since(before) < 60_000, `${after.since(before)} ms`)
  })

  it('runs what is on one stream in order', () => {
    const { x, y, letGo } = heldWork()
    stream.copy(x, 0, y, 4, 4)
    stream.fill(y, 0, 4, 0)
    letGo()
    assert.deepEqual(read(native, stream, x), [4, 2])
    assert.deepEqual(read(native, stream, y), [0, 4])
  })

  it('lets a stream wait for an event of another, without the host', () => {
    const { y, letGo } = heldWork()
    const done = new native.Event()
    stream.record(done)
    other.wait(done)
    const copy = new native.DeviceBuffer(8)
    other.copy(copy, 0, y, 0, 8)
    letGo()
    assert.deepEqual(read(native, other, copy), [2, 4])
  })

  it('tells by an event what is done', () => {
    const [before, after] = [new native.Event(), new native.Event()]
    assert.equal(after.query(), true, 'nothing was recorded')
    stream.record(before)
    const { letGo } = heldWork()
    stream.record(after)
    before.synchronize()
    assert.equal(before.query(), true)
    assert.equal(after.query(), false)
    assert.throws(() => after.since(before), failure('cuda', /cudaErrorNotReady/))
    letGo()
    after.synchronize()
    assert.equal(after.query(), true)
    assert.ok(after.since(before) >= 0)
    assert.throws(() => after.since(new native.Event()), failure('cuda', /cudaErrorInvalidResourceHandle/))
  })

  it('waits for the record that an event had, not for later ones', () => {
    const event = new native.Event()
    other.record(event)
    const second = new native.Stream()
    const { letGo, y } = heldWork()
    second.wait(event)
    stream.record(event)
    second.synchronize()
    assert.equal(event.query(), false)
    letGo()
    event.synchronize()
    assert.deepEqual(read(native, second, y), [2, 4])
  })

  it('keeps what is disposed of until the work with it is done', () => {
    const { context, x, y, letGo } = heldWork()
    const waiting = new native.Stream()
    const [done, copied] = [new native.Event(), new native.Event()]
    stream.record(done)
    waiting.wait(done)
    waiting.copy(x, 0, y, 0, 8)
    waiting.record(copied)
    for (const used of [waiting, done, y]) used.dispose()
    letGo()
    context.dispose()
    copied.synchronize()
    assert.deepEqual(read(native, other, x), [2, 4])
  })

  it('refuses disposed streams and events, and what is neither', () => {
    const gone = new native.Stream()
    const event = new native.Event()
    for (const object of [gone, event, gone, event]) object.dispose()
    assert.throws(() => gone.synchronize(), failure('misuse', /this Stream is disposed/))
    assert.throws(() => gone.record(new native.Event()), failure('misuse', /this Stream is disposed/))
    assert.throws(() => stream.record(event), failure('misuse', /this Event is disposed/))
    assert.throws(() => event.query(), failure('misuse', /this Event is disposed/))
    assert.throws(() => stream.wait(other as never), failure('misuse', /event must be an? Event/))
  })
})
