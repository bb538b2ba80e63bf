import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { root } from '../root.js'
import { checkBlocks } from './blocks.js'
import {
  f32,
  type GgufParts,
  gguf,
  ggufString,
  keyValue,
  temporaryFolder,
  tensorInfo,
  u16,
  u32,
  u64,
} from './writers.js'

interface Golden {
  dims: number[]
  tensors: Record<string, { type: number; bytes: string; floats: string }>
}
const golden: Golden = JSON.parse(
  readFileSync(join(root, 'test', 'golden', 'checkpoint', 'gguf.json'), 'utf8'),
)

/** One F32 tensor `w` of two values, as changed. */
const one = (change: GgufParts = {}): Buffer =>
  gguf({ infos: [tensorInfo('w', [2], 0, 0)], data: f32(1, 2), ...change })
const info = (sizes: (number | bigint)[], type: number, offset: number | bigint = 0) =>
  one({ infos: [tensorInfo('w', sizes, type, offset)] })
const two = (second: number, data: number) =>
  one({ infos: [tensorInfo('a', [8], 0, 0), tensorInfo('b', [1], 0, second)], data: Buffer.alloc(data) })

const damaged: [title: string, bytes: Buffer, message: RegExp][] = [
  ['another magic', one({ magic: 'GGML' }), /does not begin with GGUF/],
  ['version 2', one({ version: 2 }), /version 2, only 3/],
  ['a big-endian file', one({ version: 0x03000000 }), /little endian/],
  ['an absurd tensor count', one({ tensorCount: 2n ** 60n }), /claims 1152921504606846976 tensors/],
  ['a tensor count just above the room', one({ tensorCount: 6 }), /claims 6 tensors/],
  ['an absurd key count', one({ keyCount: 2n ** 62n }), /metadata keys/],
  ['a key longer than the file', one({ keys: [u64(10n ** 12n)] }), /bytes of a metadata key/],
  [
    'a key above the limit',
    one({ keys: [keyValue('k'.repeat(65536), 0, Buffer.of(1))] }),
    /of 65536 bytes, the limit/,
  ],
  [
    'a string longer than the file',
    one({ keys: [keyValue('k', 8, u64(2n ** 63n))] }),
    /text for metadata key k/,
  ],
  [
    'an array longer than the file',
    one({ keys: [keyValue('k', 9, Buffer.concat([u32(0), u64(2n ** 40n)]))] }),
    /elements of metadata key k/,
  ],
  [
    'an array of arrays',
    one({ keys: [keyValue('k', 9, Buffer.concat([u32(9), u64(0)]))] }),
    /arrays inside the array of metadata key k/,
  ],
  [
    'an unknown value type',
    one({ keys: [keyValue('k', 13, Buffer.of(1))] }),
    /value type 13 for metadata key k/,
  ],
  ['a boolean of 2', one({ keys: [keyValue('k', 7, Buffer.of(2))] }), /2 for the boolean metadata key k/],
  [
    'a key twice',
    one({ keys: [keyValue('k', 0, Buffer.of(1)), keyValue('k', 0, Buffer.of(1))] }),
    /key k twice/,
  ],
  ...[0, 4, 48].map((alignment): [string, Buffer, RegExp] => [
    `an alignment of ${alignment}`,
    one({ keys: [keyValue('general.alignment', 4, u32(alignment))] }),
    new RegExp(`general\\.alignment ${alignment}`),
  ]),
  ['five dimensions', info([1, 1, 1, 1, 1], 0), /tensor w 5 dimensions/],
  ['a type that is not supported', info([256], 11), /tensor w as Q3_K, which is not supported: use F32, F16/],
  ['an unknown type', info([2], 99), /tensor w as type 99/],
  ['rows that are not whole blocks', info([48, 2], 3), /tensor w, Q4_1 \[2, 48\], with rows/],
  ['rows that are not whole super-blocks', info([128, 2], 12), /Q4_K \[2, 128\], .* whole blocks of 256/],
  ['blocks past the end', info([256], 14), /truncated, tensor w ends at byte 210 .* 8/],
  ['a tensor of blocks beyond 2^53', info([2n ** 60n, 16], 13), /tensor w, Q5_K .* larger than any file/],
  ['a tensor beyond 2^53', info([2n ** 62n, 4], 0), /tensor w, .* larger than any file/],
  ['an offset beyond 2^53', info([2], 0, 2n ** 63n), /tensor w, .* larger than any file/],
  ['an offset that is not aligned', info([1], 0, 4), /tensor w at 4, which is not a multiple/],
  ['data past the end', info([3], 0), /truncated, tensor w ends at byte 12 .* 8/],
  ['no data', one({ data: Buffer.alloc(0) }), /truncated, tensor w/],
  [
    'a tensor twice',
    one({ infos: [tensorInfo('w', [2], 0, 0), tensorInfo('w', [2], 0, 32)] }),
    /tensor w twice/,
  ],
  ['a hole', two(64, 68), /hole of 32 bytes before tensor b/],
  ['an overlap', two(0, 32), /tensor a at 0, inside the one before/],
  ['trailing bytes', one({ data: Buffer.alloc(33) }), /1 bytes after its last tensor/],
]

describe('checkpoint/gguf', () => {
  const folder = temporaryFolder()

  it('reads F32, F16, Q4_1 and Q8_0 with row-major dims', () => {
    const q4 = Buffer.concat(
      [0, 1].map((row) => Buffer.concat([u16(0x3800, 0xbc00), Buffer.alloc(16, row ? 0x0f : 0x21)])),
    )
    const q8 = Buffer.concat([
      u16(0xae66),
      Buffer.from(Int8Array.from({ length: 32 }, (_, i) => i * 8 - 128).buffer),
    ])
    const data = Buffer.alloc(162)
    q4.copy(data)
    f32(1, 2, 3, 4, 5, 6).copy(data, 64)
    u16(0x3c00, 0x0001).copy(data, 96)
    q8.copy(data, 128)
    const infos = [
      tensorInfo('q8', [32], 8, 128),
      tensorInfo('q4', [32, 2], 3, 0),
      tensorInfo('half', [2], 1, 96),
      tensorInfo('full', [3, 2], 0, 64),
    ]
    const bytes = gguf({ infos, data })
    using checkpoint = openCheckpoint(folder.write('small.gguf', bytes))
    assert.deepEqual(checkpoint.names, ['q8', 'q4', 'half', 'full'])
    assert.deepEqual(checkpoint.tensor('full').dims, [2, 3])
    assert.deepEqual([...checkpoint.tensor('full').floats()], [1, 2, 3, 4, 5, 6])
    assert.deepEqual([...checkpoint.tensor('half').floats()], [1, 2 ** -24])

    // d = 0.5, m = -1: the low nibble is weight j, the high one weight j + 16.
    const four = checkpoint.tensor('q4')
    const row = (low: number, high: number) => [...Array(16).fill(low), ...Array(16).fill(high)]
    assert.deepEqual([...four.floats()], [...row(-0.5, 0), ...row(6.5, -1)])
    const numbers = four.quantised()
    assert.ok(numbers?.form === 'blocks' && numbers.values instanceof Uint8Array && numbers.bits === 4)
    assert.deepEqual([...numbers.values], [...row(1, 2), ...row(15, 0)])
    assert.deepEqual([numbers.scale, numbers.min], [Float32Array.of(0.5, 0.5), Float32Array.of(-1, -1)])

    // 0xae66 = -(1024 + 614) * 2^-14; the zero among the weights becomes -0.
    const eight = checkpoint.tensor('q8')
    const step = -(1024 + 614) * 2 ** -14
    assert.deepEqual(
      [...eight.floats()],
      Array.from({ length: 32 }, (_, i) => (i * 8 - 128) * step),
    )
    const signed = eight.quantised()
    assert.ok(signed?.form === 'blocks' && signed.values instanceof Int8Array && signed.min === null)
    assert.equal(signed.values[0], -128)
  })

  for (const [storage, { type, bytes, floats }] of Object.entries(golden.tensors))
    it(`reads ${storage} as the reference does, bit for bit`, () => {
      const dims = golden.dims.toReversed()
      const data = Buffer.from(bytes, 'base64')
      const path = folder.write('golden.gguf', gguf({ infos: [tensorInfo('w', dims, type, 0)], data }))
      using checkpoint = openCheckpoint(path)
      const tensor = checkpoint.tensor('w')
      assert.deepEqual([tensor.storage, tensor.dims], [storage, golden.dims])
      const found = tensor.floats()
      // Bits, so that zeros below and above zero are told apart.
      assert.deepEqual(Buffer.from(found.buffer), Buffer.from(floats, 'base64'))
      const numbers = tensor.quantised()
      assert.equal(numbers !== null, storage.startsWith('Q'))
      if (numbers) checkBlocks(tensor.storage, numbers, found.length)
    })

  it('reads metadata of every type, long arrays only when asked for', () => {
    const words = Array.from({ length: 1000 }, (_, i) => `word ${i} é`)
    const long = Buffer.alloc(8)
    long.writeBigInt64LE(-(2n ** 60n))
    const double = Buffer.alloc(8)
    double.writeDoubleLE(0.1)
    const list = (type: number, count: number, bytes: Buffer) => Buffer.concat([u32(type), u64(count), bytes])
    const values: [number, Buffer, unknown][] = [
      [0, Buffer.of(200), 200],
      [1, Buffer.of(200), -56],
      [2, u16(65535), 65535],
      [3, u16(65535), -1],
      [4, u32(2 ** 32 - 1), 2 ** 32 - 1],
      [5, u32(2 ** 32 - 1), -1],
      [6, f32(0.5), 0.5],
      [7, Buffer.of(1), true],
      [8, ggufString('grüß'), 'grüß'],
      [9, list(5, 2, Buffer.concat([u32(3), u32(4)])), [3, 4]],
      [9, list(8, 1000, Buffer.concat(words.map(ggufString))), words],
      [9, list(0, 300, Buffer.alloc(300, 9)), Array(300).fill(9)],
      [10, u64(2n ** 63n), 2n ** 63n],
      [10, u64(5), 5],
      [11, long, -(2n ** 60n)],
      [12, double, 0.1],
    ]
    const keys = values.map(([type, bytes], i) => keyValue(`k${i}`, type, bytes))
    using checkpoint = openCheckpoint(folder.write('meta.gguf', one({ keys })))
    const expected = values.map(([, , value], i) => [`k${i}`, value])
    assert.deepEqual([...checkpoint.metadata], expected)
    assert.deepEqual(
      [...checkpoint.metadata.values()],
      expected.map(([, value]) => value),
    )
    assert.deepEqual(checkpoint.metadata.get('k10'), words)
    assert.deepEqual([...checkpoint.tensor('w').floats()], [1, 2])
  })

  it('honours general.alignment', () => {
    const keys = [keyValue('general.alignment', 4, u32(256))]
    const infos = [tensorInfo('a', [1], 0, 0), tensorInfo('b', [1], 0, 256)]
    const data = Buffer.concat([f32(1), Buffer.alloc(252), f32(2)])
    using checkpoint = openCheckpoint(
      folder.write('aligned.gguf', gguf({ keys, infos, data, alignment: 256 })),
    )
    assert.deepEqual([...checkpoint.tensor('b').floats()], [2])
  })

  for (const [title, bytes, message] of damaged)
    it(`refuses ${title}`, () => {
      const path = folder.write('damaged.gguf', bytes)
      assert.throws(() => openCheckpoint(path), { name: 'SetupError', message })
      assert.throws(() => openCheckpoint(path), /damaged\.gguf/)
    })

  it('refuses a file cut anywhere', () => {
    const whole = one({ keys: [keyValue('k', 8, ggufString('value')), keyValue('n', 4, u32(1))] })
    for (let length = 0; length < whole.length; length++) {
      const path = folder.write('cut.gguf', whole.subarray(0, length))
      assert.throws(() => openCheckpoint(path), { name: 'SetupError' }, `${length} of ${whole.length} bytes`)
    }
  })
})
