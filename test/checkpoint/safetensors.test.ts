import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { f32, packed, safetensors, temporaryFolder, u16, u64 } from './writers.js'

/** A header with one F32 tensor `w` of two values at [0, 8), as changed. */
const one = (change: object) => ({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } })
const two = (a: number[], b: number[]) => ({
  a: { dtype: 'U8', shape: [a[1]! - a[0]!], data_offsets: a },
  b: { dtype: 'U8', shape: [b[1]! - b[0]!], data_offsets: b },
})
const I8 = (...values: number[]) => Buffer.from(Int8Array.from(values).buffer)

const damaged: [title: string, bytes: Buffer, message: RegExp][] = [
  ['an empty file', Buffer.alloc(0), /truncated/],
  ['a header cut short', safetensors(one({}), Buffer.alloc(8)).subarray(0, 20), /truncated/],
  ['data cut short', safetensors(one({}), Buffer.alloc(7)), /truncated, tensor w ends at byte 8 .* 7/],
  [
    'a header length above the limit',
    Buffer.concat([u64(100_000_001), Buffer.alloc(64)]),
    /header of 100000001 bytes/,
  ],
  [
    'a header length of 2^63',
    Buffer.concat([u64(2n ** 63n), Buffer.alloc(64)]),
    /header of 9223372036854775808 bytes/,
  ],
  ['a header that is not JSON', safetensors('{"w": '), /not JSON/],
  ['a header that is not UTF-8', Buffer.concat([u64(2), Buffer.of(0x22, 0xff)]), /not JSON/],
  ['a header that is a list', safetensors('[]'), /not a JSON object/],
  [
    'a duplicate tensor',
    safetensors('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0077":{}}'),
    /key w twice/,
  ],
  [
    'a duplicate field',
    safetensors('{"w":{"shape":[1],"dtype":"U8","shape" :[0],"data_offsets":[0,0]}}'),
    /key shape twice/,
  ],
  ['metadata that is no object', safetensors({ __metadata__: 'pt' }), /__metadata__/],
  ['a tensor that is no object', safetensors({ w: 1 }), /tensor w/],
  ['no dtype', safetensors(one({ dtype: 1 }), Buffer.alloc(8)), /tensor w no dtype/],
  [
    'an unknown dtype',
    safetensors(one({ dtype: 'F4' }), Buffer.alloc(8)),
    /tensor w as F4, which is not supported/,
  ],
  ['a negative size', safetensors(one({ shape: [-2] }), Buffer.alloc(8)), /tensor w a shape/],
  ['a fractional size', safetensors(one({ shape: [0.5] }), Buffer.alloc(8)), /tensor w a shape/],
  ['a size beyond 2^53', safetensors(one({ shape: [2 ** 60] }), Buffer.alloc(8)), /tensor w a shape/],
  [
    'a product beyond 2^53',
    safetensors(one({ shape: [2 ** 40, 2 ** 40] }), Buffer.alloc(8)),
    /tensor w, .* more than any file/,
  ],
  ['one offset only', safetensors(one({ data_offsets: [8] }), Buffer.alloc(8)), /tensor w data_offsets/],
  [
    'an end before its begin',
    safetensors(one({ data_offsets: [8, 0] }), Buffer.alloc(8)),
    /tensor w end at 0, before/,
  ],
  [
    'a size that is not the shape’s',
    safetensors(one({ shape: [3] }), Buffer.alloc(8)),
    /8 bytes for tensor w, but F32 \[3\] takes 12/,
  ],
  [
    'a hole at the beginning',
    safetensors(one({ data_offsets: [4, 12] }), Buffer.alloc(12)),
    /hole of 4 bytes before tensor w/,
  ],
  ['a hole', safetensors(two([0, 4], [5, 9]), Buffer.alloc(9)), /hole of 1 bytes before tensor b/],
  ['an overlap', safetensors(two([0, 4], [3, 9]), Buffer.alloc(9)), /tensor b overlap .* by 1 bytes/],
  ['trailing bytes', safetensors(one({}), Buffer.alloc(9)), /1 bytes after its last tensor/],
  [
    'a Git LFS pointer',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
    /Git LFS pointer/,
  ],
  [
    'a scale of another length',
    packed({ w: ['I8', [2, 1], I8(1, 2)], w_scale: ['F32', [3, 1], f32(1, 2, 3)] }),
    /w_scale as \[3, 1\] where \[1\] or \[2, 1\]/,
  ],
  [
    'a scale across',
    packed({ w: ['I8', [2, 2], I8(1, 2, 3, 4)], w_scale: ['F32', [1, 2], f32(1, 2)] }),
    /w_scale/,
  ],
  ['an integer scale', packed({ w: ['I8', [1], I8(1)], w_scale: ['U8', [1], I8(1)] }), /w_scale as U8/],
  [
    'a zero point of another type',
    packed({ w: ['U8', [1], I8(1)], w_scale: ['F32', [1], f32(1)], w_zero_point: ['I8', [1], I8(1)] }),
    /w_zero_point as I8/,
  ],
  [
    'a zero point without scale',
    packed({ w: ['U8', [1], I8(1)], w_zero_point: ['U8', [1], I8(1)] }),
    /w_zero_point but no w_scale/,
  ],
]

describe('checkpoint/safetensors', () => {
  const folder = temporaryFolder()

  it('reads tensors of any order, rank and alignment, padding and metadata included', () => {
    const header = {
      last: { dtype: 'BF16', shape: [1, 2], data_offsets: [13, 17] },
      none: { dtype: 'F32', shape: [0, 5], data_offsets: [1, 1] },
      __metadata__: { format: 'pt' },
      flag: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      odd: { dtype: 'F32', shape: [2], data_offsets: [1, 9] },
      scalar: { dtype: 'F32', shape: [], data_offsets: [9, 13] },
    }
    const data = Buffer.concat([Buffer.of(7), f32(1.5, -2), f32(0.25), u16(0x3f80, 0xc000)])
    using checkpoint = openCheckpoint(
      folder.write('any.safetensors', safetensors(`${JSON.stringify(header)}   `, data)),
    )
    assert.deepEqual([...checkpoint.names].sort(), ['flag', 'last', 'none', 'odd', 'scalar'])
    assert.deepEqual([...checkpoint.metadata], [['format', 'pt']])
    assert.deepEqual([...checkpoint.tensor('odd').floats()], [1.5, -2])
    assert.deepEqual([...checkpoint.tensor('scalar').floats()], [0.25])
    assert.deepEqual(checkpoint.tensor('scalar').dims, [])
    assert.deepEqual([...checkpoint.tensor('last').floats()], [1, -2])
    assert.deepEqual(checkpoint.tensor('none').dims, [0, 5])
    assert.equal(checkpoint.tensor('none').floats().length, 0)
    assert.equal(checkpoint.tensor('odd').quantised(), null)
    assert.equal(checkpoint.has('absent'), false)
    assert.throws(() => checkpoint.tensor('absent'), /any\.safetensors has no tensor absent/)
  })

  it('folds scales and zero points into their base', () => {
    const bytes = packed({
      rows: ['I8', [2, 3], I8(1, -2, 3, 127, -127, 0)],
      rows_scale: ['F32', [2, 1], f32(0.5, 0.1)],
      whole: ['U8', [2, 2], Buffer.of(0, 128, 130, 255)],
      whole_scale: ['F32', [1], f32(0.1)],
      whole_zero_point: ['U8', [1], Buffer.of(130)],
      each: ['I8', [2, 1], I8(10, 10)],
      each_scale: ['F32', [1], f32(2)],
      each_zero_point: ['I8', [2, 1], I8(-1, 9)],
      plain: ['F32', [1], f32(1)],
      plain_scale: ['F32', [1], f32(2)],
      lone_scale: ['F32', [1], f32(3)],
      ids: ['I8', [1], I8(-5)],
    })
    using checkpoint = openCheckpoint(folder.write('companions.safetensors', bytes))
    const names = ['each', 'ids', 'lone_scale', 'plain', 'plain_scale', 'rows', 'whole']
    assert.deepEqual([...checkpoint.names].sort(), names)
    const tenth = Math.fround(0.1)
    const scaled = (numbers: number[], scale: number) => numbers.map((q) => Math.fround(q * scale))
    assert.deepEqual(
      [...checkpoint.tensor('rows').floats()],
      [0.5, -1, 1.5, ...scaled([127, -127, 0], tenth)],
    )
    assert.deepEqual([...checkpoint.tensor('whole').floats()], scaled([-130, -2, 0, 125], tenth))
    assert.deepEqual([...checkpoint.tensor('each').floats()], [22, 2])
    assert.deepEqual([...checkpoint.tensor('ids').floats()], [-5])
    assert.equal(checkpoint.tensor('ids').quantised(), null)
    assert.equal(checkpoint.tensor('whole').storage, 'U8')
    assert.deepEqual(checkpoint.tensor('whole').quantised(), {
      form: 'affine',
      values: Uint8Array.of(0, 128, 130, 255),
      scale: Float32Array.of(0.1),
      zeroPoint: Uint8Array.of(130),
    })
    const rows = checkpoint.tensor('rows').quantised()
    assert.ok(rows?.form === 'affine' && rows.values instanceof Int8Array && rows.zeroPoint === null)
    assert.deepEqual([...rows.scale], [0.5, tenth])
  })

  for (const [title, bytes, message] of damaged)
    it(`refuses ${title}`, () => {
      const path = folder.write('damaged.safetensors', bytes)
      assert.throws(() => openCheckpoint(path), { name: 'SetupError', message })
      assert.throws(() => openCheckpoint(path), /damaged\.safetensors/)
    })

  it('refuses to read on after the file was cut, or after it was closed', () => {
    const path = folder.write('cut.safetensors', safetensors(one({}), f32(1, 2)))
    const checkpoint = openCheckpoint(path)
    const tensor = checkpoint.tensor('w')
    folder.write('cut.safetensors', safetensors(one({}), f32(1)))
    assert.throws(() => tensor.floats(), /cut\.safetensors is truncated/)
    checkpoint[Symbol.dispose]()
    assert.throws(() => tensor.floats(), /was closed/)
  })
})
