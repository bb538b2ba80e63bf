import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Graph } from '#src/graph/graph.js'
import { abs, add, greater, matMul, mul, shapeOf, squeeze } from '#src/graph/ops.js'
import { signatureOf } from '#src/models/plan.js'
import { openSession } from '#src/runtime/onnxruntime.js'
import { float32, floats } from '#src/runtime/session.js'
import { evaluate, floatWeight, newFolder, noWeights, weightsOf } from './evaluate.js'

const x = float32(Float32Array.of(1, 2, 3), [1, 3])

describe('graph/graph', () => {
  it('finds weights by the scope it stands in, and knows which it used', async () => {
    const weights = weightsOf({
      'layers.0.norm.weight': floatWeight([3], [1, 10, 100]),
      'layers.1.norm.weight': floatWeight([3], [2, 20, 200]),
    })
    let used: string[] = []
    const { y } = await evaluate(
      { x },
      (g, { x }) => {
        const value = g.scope('layers', () => g.scope('1', () => mul(x!, g.weight('norm.weight'))))
        assert.equal(g.at('bare'), 'bare')
        used = [...g.used]
        return { y: [value, [1, 3]] }
      },
      { weights },
    )
    assert.deepEqual([...y!.data], [2, 40, 600])
    assert.deepEqual(used, ['layers.1.norm.weight'])
  })

  it('leaves a scope when building in it fails', () => {
    const g = new Graph('test', { weights: noWeights })
    assert.throws(() => g.scope('layers', () => g.weight('missing')), /no tensor layers\.missing/)
    assert.equal(g.at('here'), 'here')
  })

  it('makes equal constants and weights once', () => {
    const g = new Graph('test', { weights: weightsOf({ w: floatWeight([2, 2], [1, 2, 3, 4]) }) })
    assert.equal(g.scalar('float32', 2), g.scalar('float32', 2))
    assert.notEqual(g.scalar('float32', 2), g.scalar('int64', 2))
    assert.equal(g.weight('w'), g.weight('w'))
    assert.notEqual(g.weight('w'), g.weight('w', [4]))
    assert.equal(g.bytes, 4 + 8 + 16 + 16)
  })

  it('makes what is shared under a value once', () => {
    const g = new Graph('test', { weights: noWeights })
    const [a, b] = [g.input('a', 'float32', [1]), g.input('b', 'float32', [1])]
    const size = (value: typeof a) => g.memo(value, 'size', () => abs(value))
    assert.equal(size(a), size(a))
    assert.notEqual(size(a), size(b))
    assert.equal(g.size, 2)
  })

  it('goes one of two ways, as its inputs say', async () => {
    for (const [count, wanted] of [
      [2, [10, 20]],
      [3, [1, 4, 9]],
    ] as const) {
      const numbers = Float32Array.from({ length: count }, (_, i) => i + 1)
      const { y } = await evaluate({ x: float32(numbers, [count]) }, (g, { x }) => {
        const isLong = greater(squeeze(shapeOf(x!), [0]), g.scalar('int64', 2))
        const ways = g.either(
          isLong,
          () => [mul(x!, x!)],
          () => [mul(x!, 10)],
        )
        return { y: [ways[0]!, ['n']] }
      })
      assert.deepEqual([...y!.data], wanted)
    }
  })

  it('keeps what one way makes from the other, but not its constants', () => {
    const g = new Graph('test', { weights: noWeights })
    const a = g.input('a', 'float32', [1])
    const condition = greater(squeeze(a, [0]), g.scalar('float32', 0))
    const made: unknown[] = []
    const way = () => {
      made.push(
        g.memo(a, 'size', () => abs(a)),
        g.scalar('float32', 7),
      )
      return [abs(a)]
    }
    g.either(condition, way, way)
    const [size, seven, otherSize, otherSeven] = made
    assert.notEqual(size, otherSize)
    assert.equal(seven, otherSeven)
    assert.notEqual(
      g.memo(a, 'size', () => abs(a)),
      otherSize,
    )
  })

  it('refuses ways to values of different types, and one that makes nothing', () => {
    const g = new Graph('test', { weights: noWeights })
    const [a, yes] = [g.input('a', 'float32', [1]), g.input('yes', 'bool', [])]
    const same = () => [abs(a)]
    assert.throws(() => g.either(yes, same, () => [g.cast(abs(a), 'int64')]), /values of different types/)
    assert.throws(() => g.either(yes, same, () => [a]), /only passes on what was there/)
  })

  it('makes what is shared under a name once, for this graph alone', () => {
    const [g, other] = [new Graph('g', { weights: noWeights }), new Graph('other', { weights: noWeights })]
    const mask = (of: Graph) =>
      of.once('mask', () => of.initializer('mask', 'bool', [1], () => new Uint8Array(1)))
    assert.equal(mask(g), mask(g))
    assert.notEqual(mask(g), mask(other))
    assert.equal(g.bytes, 1)
    assert.equal(
      g.memo(g.input('a', 'float32', [1]), 'mask', () => 'of the value'),
      'of the value',
    )
    assert.equal(
      g.once('nothing', () => undefined),
      undefined,
    )
    assert.equal(
      g.once('nothing', () => assert.fail('made twice')),
      undefined,
    )
  })

  it('computes an island in float32 and comes back to its own type', () => {
    const weights = weightsOf({ w: floatWeight([1], [1]) })
    const g = new Graph('test', { weights, target: 'tensorrt', float: 'float16' })
    const half = g.asFloat(g.input('x', 'float32', [1]))
    const back = g.float32([half], (wide) => {
      assert.deepEqual([wide.dtype, g.weight('w').dtype], ['float32', 'float32'])
      return add(wide, g.weight('w'))
    })
    assert.deepEqual([back.dtype, g.weight('w').dtype], ['float16', 'float16'])
    assert.equal(g.within('float32', () => g.weight('w')).dtype, 'float32')
    assert.throws(() => g.within('float32', () => assert.fail()))
    assert.equal(g.float, 'float16')
  })

  it('gives a value that is an input, or an output already, a node of its own', async () => {
    const results = await evaluate({ x }, (_, { x }) => {
      const twice = add(x!, x!)
      return { same: [x!, [1, 3]], twice: [twice, [1, 3]], again: [twice, [1, 3]] }
    })
    assert.deepEqual([...results.same!.data], [1, 2, 3])
    assert.deepEqual([...results.twice!.data], [2, 4, 6])
    assert.deepEqual([...results.again!.data], [2, 4, 6])
  })

  it('refuses values of another graph', () => {
    const [one, other] = [
      new Graph('one', { weights: noWeights }),
      new Graph('other', { weights: noWeights }),
    ]
    const [a, b] = [one.input('a', 'float32', [1]), other.input('b', 'float32', [1])]
    assert.throws(() => add(a, b), /another graph/)
  })

  it('refuses data that is not as large as announced', () => {
    const g = new Graph('test', { weights: noWeights })
    g.initializer('wrong', 'float32', [3], () => Float32Array.of(1, 2))
    assert.throws(() => g.write(newFolder()), /wrong: 8 bytes for float32 \[3\]/)
  })

  it('puts large constants beside the model, aligned to pages, and tells of every byte', async () => {
    const size = 20
    const identity = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
    const g = new Graph('test', { weights: noWeights })
    const input = g.input('x', 'float32', ['rows', size])
    const constant = (scale: number) =>
      g.initializer('identity', 'float32', [size, size], () => identity.map((value) => scale * value))
    g.output('y', add(matMul(matMul(input, constant(2)), constant(3)), 1), ['rows', size])
    const folder = newFolder()
    let told = 0
    g.write(folder, (bytes) => {
      told += bytes
    })
    assert.deepEqual(readdirSync(folder).sort(), ['test.data', 'test.onnx'])
    assert.equal(told, g.bytes)
    assert.equal(statSync(join(folder, 'test.data')).size, 4096 + 1600)
    assert.equal(readFileSync(join(folder, 'test.data')).readFloatLE(4096), 3)
    assert.ok(statSync(join(folder, 'test.onnx')).size < 1600)
    const session = await openSession(folder, 'test', signatureOf({ graph: g }), { threads: 1 })
    const data = Float32Array.from({ length: size }, (_, i) => i)
    assert.deepEqual(
      floats(await session.run({ x: float32(data, [1, size]) }), 'y'),
      data.map((value) => 6 * value + 1),
    )
    await session.dispose()
  })
})
