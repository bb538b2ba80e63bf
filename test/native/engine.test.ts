/** What an engine tells of itself, and plans that are none for this TensorRT and GPU. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Native } from '#src/runtime/addon.js'
import { askChild } from './child.js'
import { buildOptions, failure, makeEngine, newPath, openNative, sized, writeProgram } from './native.js'
import { describeNative } from './toolchain.js'

const cached = [
  'input past float16 [B,2,8,4]',
  'input new float16 [B,2,S,4]',
  'input index int32 [B]',
  'present = kv_update past new index',
  'output present',
  'weights 5000',
  'activations 3000',
]
const profiles = [
  {
    past: sized([1, 2, 8, 4], [2, 2, 8, 4], [4, 2, 8, 4]),
    new: sized([1, 2, 1, 4], [2, 2, 4, 4], [4, 2, 8, 4]),
    index: sized([1], [2], [4]),
  },
  {
    past: sized([4, 2, 8, 4], [4, 2, 8, 4], [4, 2, 8, 4]),
    new: sized([4, 2, 1, 4], [4, 2, 1, 4], [4, 2, 1, 4]),
    index: sized([4], [4], [4]),
  },
]

describeNative('engine', () => {
  let native: Native
  before(async () => {
    native = await openNative()
  })

  it('tells its tensors: types, sizes, profiles, aliases', async () => {
    const engine = await makeEngine(native, cached, profiles)
    const input = { mode: 'input', location: 'device', aliasOf: null }
    const ranges = (name: 'past' | 'new' | 'index') => profiles.map((profile) => profile[name])
    assert.deepEqual(engine.tensors, [
      { ...input, name: 'past', dtype: 'float16', dims: [-1, 2, 8, 4], profiles: ranges('past') },
      { ...input, name: 'new', dtype: 'float16', dims: [-1, 2, -1, 4], profiles: ranges('new') },
      { ...input, name: 'index', dtype: 'int32', dims: [-1], profiles: ranges('index') },
      {
        ...{ name: 'present', dtype: 'float16', dims: [-1, 2, 8, 4], mode: 'output', location: 'device' },
        ...{ aliasOf: 'past', profiles: [] },
      },
    ])
    assert.equal(engine.tensors, engine.tensors)
    assert.equal(engine.profiles, 2)
    assert.equal(engine.weightBytes, 5000)
    assert.deepEqual([engine.activationBytes(0), engine.activationBytes(1)], [3000, 6000])
    assert.throws(
      () => engine.activationBytes(2),
      failure('misuse', /no profile 2: it has 2, counted from 0/),
    )
    engine.dispose()
    engine.dispose()
    assert.throws(() => engine.tensors, failure('misuse', /this Engine is disposed/))
    assert.throws(
      () => engine.createContext(0, new native.Stream()),
      failure('misuse', /this Engine is disposed/),
    )
  })

  it('knows every type of element, tensors without dimensions and those that are read on the host', async () => {
    const types = [
      ...['float32', 'float16', 'bfloat16', 'int8', 'uint8', 'int32', 'int64', 'bool', 'fp8', 'int4', 'fp4'],
      'e8m0',
    ]
    const program = types.flatMap((type) => [`input ${type} ${type} [2]`, `of_${type} = copy ${type}`])
    const outputs = `output ${types.map((type) => `of_${type}`).join(' ')}`
    const engine = await makeEngine(native, [...program, 'input scalar int32 [] host', outputs])
    assert.deepEqual(
      engine.tensors.map(({ name, dtype }) => [name, dtype]),
      [
        ...types.map((type) => [type, type]),
        ['scalar', 'int32'],
        ...types.map((type) => [`of_${type}`, type]),
      ],
    )
    const scalar = engine.tensors.find(({ name }) => name === 'scalar')
    assert.deepEqual(scalar?.dims, [])
    assert.equal(scalar?.location, 'host')
  })

  it('holds the memory of its weights and of its contexts’ activations, and no more', async () => {
    const stream = new native.Stream()
    const options = buildOptions(
      writeProgram('weights 2560', 'activations 512', 'input x int8 [1]', 'y = copy x', 'output y'),
    )
    await native.build(options).done
    const { free } = native.memory()
    const used = () => free - native.memory().free
    const engine = native.loadEngine(options.plan)
    assert.equal(used(), 2560)
    const contexts = [engine.createContext(0, stream), engine.createContext(0, stream)]
    assert.equal(used(), 2560 + 2 * 512)
    contexts[0]!.dispose()
    assert.equal(used(), 2560 + 512)
    engine.dispose()
    assert.equal(used(), 2560 + 512, 'the context keeps its engine')
    contexts[1]!.dispose()
    assert.equal(used(), 0)
  })

  it('cannot be constructed', async () => {
    const engine = await makeEngine(native, ['input x int8 [1]', 'y = copy x', 'output y'])
    const Engine: new (...args: unknown[]) => unknown = Object.getPrototypeOf(engine).constructor
    for (const args of [[], [1], [engine]])
      assert.throws(
        () => new Engine(...args),
        failure('misuse', /cannot be constructed: it comes from loadEngine/),
      )
  })

  it('refuses files that are no plan of this TensorRT and GPU, in TensorRT’s words', async () => {
    const options = buildOptions(writeProgram('input x int8 [1]', 'y = copy x', 'output y'))
    await native.build(options).done
    const plan = readFileSync(options.plan, 'latin1')
    const changed = (text: string): string => {
      const path = newPath('plan')
      writeFileSync(path, text, 'latin1')
      return path
    }
    for (const [path, code, message] of [
      [newPath('plan'), 'misuse', /cannot be read: No such file/],
      [changed(''), 'misuse', /is empty/],
      [changed('nonsense'), 'tensorrt', /does not take the plan .*magic tag does not match/],
      [changed(plan.slice(0, -1)), 'tensorrt', /magic tag does not match/],
      [
        changed(plan.replace('11.1.0.106', '11.0.0.1')),
        'tensorrt',
        /current 11\.1\.0\.106, serialized 11\.0\.0\.1/,
      ],
      [
        changed(plan.replace(' 89 ', ' 75 ')),
        'tensorrt',
        /incompatible device, expecting compute 89 got compute 75/,
      ],
    ] as const)
      assert.throws(() => native.loadEngine(path), failure(code, message))
    native.loadEngine(options.plan).dispose()
  })

  it('says what has no room on the GPU: the weights, the activations', async () => {
    const free = 100_000
    const env = { FAKE_CUDA_MEMORY: String(free) }
    const [weights, activations] = await askChild<{ code: string; message: string }[]>('no-room', { env })
    assert.equal(weights?.code, 'memory')
    assert.match(weights?.message ?? '', /requested size was 200000 bytes/)
    assert.equal(activations?.code, 'memory')
    assert.match(activations?.message ?? '', /no room for 200000 bytes: \d+ of 100000 are free/)
  })

  it('gives TensorRT’s words when a context cannot be made', async () => {
    const engine = await makeEngine(native, [
      'fail context no kernel for it',
      'input x int8 [1]',
      'y = copy x',
      'output y',
    ])
    const stream = new native.Stream()
    assert.throws(
      () => engine.createContext(0, stream),
      failure('tensorrt', /could not make a context: .*no kernel for it/),
    )
    assert.throws(() => engine.createContext(1, stream), failure('misuse', /no profile 1/))
    assert.throws(() => engine.createContext(0, {} as never), failure('misuse', /stream must be a Stream/))
  })
})
