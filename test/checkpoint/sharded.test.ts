import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { f32, packed, temporaryFolder } from './writers.js'

describe('checkpoint/sharded', () => {
  const folder = temporaryFolder()
  before(() => {
    folder.write(
      'm-1.safetensors',
      packed({ a: ['I8', [2], Buffer.of(1, 255)], extra: ['U8', [0], Buffer.of()] }),
    )
    folder.write('m-2.safetensors', packed({ a_scale: ['F32', [1], f32(0.5)], b: ['F32', [1], f32(3)] }))
  })
  const index = (map: unknown, more: object = {}) =>
    folder.write('m.safetensors.index.json', JSON.stringify({ ...more, weight_map: map }))
  const good = { a: 'm-1.safetensors', a_scale: 'm-2.safetensors', b: 'm-2.safetensors' }

  it('reads the tensors that the index names, companions from another shard included', () => {
    index(good, { metadata: { total_size: 10 } })
    using checkpoint = openCheckpoint(folder.path)
    assert.deepEqual([...checkpoint.names].sort(), ['a', 'b'])
    assert.deepEqual([...checkpoint.tensor('a').floats()], [0.5, -0.5])
    assert.deepEqual([...checkpoint.tensor('b').floats()], [3])
    assert.equal(checkpoint.metadata.get('total_size'), 10)
  })

  const damaged: [title: string, map: unknown, message: RegExp][] = [
    ['no weight_map', undefined, /m\.safetensors\.index\.json has no weight_map/],
    [
      'a tensor that its shard lacks',
      { ...good, c: 'm-2.safetensors' },
      /tensor c in m-2\.safetensors, which does not/,
    ],
    [
      'a shard that is not there',
      { ...good, c: 'm-3.safetensors' },
      /m-3\.safetensors can not be opened \(ENOENT\)/,
    ],
    ['a shard above the folder', { c: '../m-2.safetensors' }, /tensor c in "\.\.\/m-2\.safetensors"/],
    ['a shard behind a backslash', { c: 'x\\m-2.safetensors' }, /tensor c in/],
    ['a shard by its full path', { c: '/m-2.safetensors' }, /tensor c in/],
    ['a shard that is not named', { c: 7 }, /tensor c in 7/],
    ['a shard of another kind', { c: 'pytorch_model.bin' }, /tensor c in "pytorch_model\.bin"/],
    [
      'more shards than fit',
      Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`t${i}`, `${i}.safetensors`])),
      /501 shards/,
    ],
  ]
  for (const [title, map, message] of damaged)
    it(`refuses ${title}`, () => {
      index(map)
      assert.throws(() => openCheckpoint(folder.path), { name: 'SetupError', message })
    })

  it('refuses an index that is not JSON, or names a tensor twice', () => {
    folder.write('m.safetensors.index.json', '{"weight_map": {')
    assert.throws(() => openCheckpoint(folder.path), /shard index that is not JSON/)
    folder.write('m.safetensors.index.json', '{"weight_map":{"b":"m-1.safetensors","b":"m-2.safetensors"}}')
    assert.throws(() => openCheckpoint(folder.path), /key b twice/)
  })
})
