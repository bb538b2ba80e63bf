import assert from 'node:assert/strict'
import type { Native, Stream } from '#src/runtime/addon.js'
import { askChild } from './child.js'
import { failure, onDevice, openNative, read } from './native.js'
import { describeNative } from './toolchain.js'

describeNative('buffers', () => {
  let native: Native
  let stream: Stream
  before(async () => {
    native = await openNative()
    stream = new native.Stream()
  })
  after(() => stream?.dispose())

  it('copies to the device, on it, and back', () => {
    const source = onDevice(native, stream, Float32Array.of(1, 2, 3, 4))
    const target = new native.DeviceBuffer(16)
    stream.fill(target, 0, 16, 0)
    stream.copy(target, 4, source, 8, 8)
    assert.deepEqual(read(native, stream, target), [0, 3, 4, 0])
    stream.fill(target, 12, 4, 0x40)
    assert.deepEqual(read(native, stream, target), [
      0,
      3,
      4,
      new Float32Array(Uint8Array.of(64, 64, 64, 64).buffer)[0],
    ])
    source.dispose()
    target.dispose()
  })

  it('refuses a copy that leaves a buffer, to either side, and copies nothing', () => {
    const device = onDevice(native, stream, Float32Array.of(5, 6))
    const pinned = new native.PinnedBuffer(8)
    new Uint8Array(pinned.array).fill(0)
    for (const [targetOffset, sourceOffset, bytes] of [
      [0, 0, 9],
      [4, 0, 8],
      [0, 4, 8],
      [9, 0, 0],
      [0, 9, 0],
      [Number.MAX_SAFE_INTEGER, 0, 8],
      [0, 0, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const outside = failure('misuse', /lie outside of the (target|source)'s 8/)
      assert.throws(() => stream.download(pinned, targetOffset, device, sourceOffset, bytes), outside)
      assert.throws(() => stream.upload(device, targetOffset, pinned, sourceOffset, bytes), outside)
    }
    assert.throws(() => stream.fill(device, 4, 5, 0), failure('misuse', /5 bytes from 4 lie outside/))
    stream.synchronize()
    assert.deepEqual([...new Uint8Array(pinned.array)], [0, 0, 0, 0, 0, 0, 0, 0])
    assert.deepEqual(read(native, stream, device), [5, 6])
  })

  it('refuses what is no number of bytes, no offset and no buffer', () => {
    const device = new native.DeviceBuffer(256)
    const pinned = new native.PinnedBuffer(256)
    for (const bytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, '8', undefined])
      for (const kind of [native.DeviceBuffer, native.PinnedBuffer])
        assert.throws(() => new kind(bytes as number), failure('misuse', /^bytes must be/))
    for (const offset of [-1, 0.5, '0'])
      assert.throws(
        () => stream.upload(device, offset as number, pinned, 0, 1),
        failure('misuse', /^targetOffset must be/),
      )
    assert.throws(
      () => stream.fill(device, 0, 1, 256),
      failure('misuse', /^value must be an integer from 0 to 255/),
    )
    for (const wrong of [pinned, {}, null, 1, Object.create(native.DeviceBuffer.prototype)])
      assert.throws(
        () => stream.upload(wrong as typeof device, 0, pinned, 0, 1),
        failure('misuse', /^target must be a DeviceBuffer/),
      )
    assert.throws(
      () => stream.upload(device, 0, device as never, 0, 1),
      failure('misuse', /^source must be a PinnedBuffer/),
    )
  })

  it('copies nothing over itself', () => {
    const device = onDevice(native, stream, Float32Array.of(1, 2, 3, 4))
    assert.throws(() => stream.copy(device, 4, device, 0, 8), failure('misuse', /overlap/))
    stream.copy(device, 8, device, 0, 8)
    assert.deepEqual(read(native, stream, device), [1, 2, 1, 2])
  })

  it('accounts for the memory of the GPU and gives it back when it is disposed of', () => {
    const { free, total } = native.memory()
    const buffer = new native.DeviceBuffer(1 << 20)
    assert.equal(buffer.bytes, 1 << 20)
    assert.deepEqual(native.memory(), { free: free - (1 << 20), total })
    buffer.dispose()
    buffer.dispose()
    assert.deepEqual(native.memory(), { free, total })
    assert.throws(() => buffer.bytes, failure('misuse', /this DeviceBuffer is disposed/))
    assert.throws(() => stream.fill(buffer, 0, 1, 0), failure('misuse', /disposed/))
  })

  it('says how much there is when memory is used up', () => {
    const { free, total } = native.memory()
    assert.throws(
      () => new native.DeviceBuffer(total + 1),
      failure('memory', new RegExp(`no room for ${total + 1} bytes: ${free} of ${total} are free`)),
    )
    assert.throws(
      () => new native.PinnedBuffer(2 ** 42),
      failure('memory', /no room for 4398046511104 page-locked/),
    )
    assert.deepEqual(native.memory(), { free, total })
  })

  it('detaches the array of a pinned buffer with it', () => {
    const pinned = new native.PinnedBuffer(12)
    const { array } = pinned
    assert.equal(array, pinned.array)
    assert.equal(array.byteLength, 12)
    const view = new Float32Array(array)
    pinned.dispose()
    assert.equal(array.byteLength, 0)
    assert.equal(view.length, 0)
    assert.throws(() => pinned.array, failure('misuse', /this PinnedBuffer is disposed/))
    pinned.dispose()
  })

  it('survives an array that was transferred or outlives its buffer', async () => {
    const found = await askChild('pinned-arrays')
    assert.deepEqual(found, { transferred: [7, 7], kept: [1, 2, 3], living: 1, afterwards: 0 })
  })

  it('fails with CUDA’s words when an allocation fails otherwise', async () => {
    const { code, message } = await askChild<{ code: string; message: string }>('allocate', {
      env: { FAKE_CUDA_FAIL: 'cudaMalloc=3' },
    })
    assert.equal(code, 'cuda')
    assert.match(message, /cudaMalloc.*cudaErrorInitializationError/)
  })
})
