/** Every rule lets the right form pass and catches the wrong one. */
import assert from 'node:assert/strict'
import { type FloatType, Graph, type Value } from '#src/graph/graph.js'
import type { DType } from '#src/graph/onnx.js'
import * as ops from '#src/graph/ops.js'
import { attention, kvCacheUpdate } from '#src/graph/tensorrt.js'
import type { PlannedGraph } from '#src/models/plan.js'
import { noWeights } from './evaluate.js'
import { violations } from './tensorrt-rules.js'

const profiles = [{ name: 'any', sizes: { n: [1, 2, 4], batch: [1, 1, 2], rows: [1, 1, 8] } }] as const

/** The complaints about a graph of x [n, 4]; its result becomes the output y unless it made outputs itself. */
function complaints(
  build: (x: Value, g: Graph) => Value | undefined,
  { float = 'float32', ...planned }: { float?: FloatType } & Partial<PlannedGraph> = {},
): string[] {
  const graph = new Graph('test', { weights: noWeights, target: 'tensorrt', float })
  const y = build(graph.asFloat(graph.input('x', 'float32', ['n', 4])), graph)
  if (y) graph.output('y', graph.cast(y, 'float32'), ['n', 4])
  return violations({ graph, profiles, ...planned })
}

const good: Record<string, Parameters<typeof complaints>> = {
  'float32 throughout': [(x) => ops.mul(ops.add(x, 1), x)],
  'float16 with an island': [(x, g) => g.float32([x], ops.exp), { float: 'float16' }],
  'sizes out of sizes': [(x) => ops.expand(ops.reduceSum(x, [0]), ops.shapeOf(x))],
  'the largest few': [(x, g) => topK(x, g.constant('int64', [1], [3840]))],
  'attention in float16': [heads((q) => attention(q, q, q)), { float: 'float16' }],
  'attention in float32': [heads((q) => attention(q, q, q))],
  'weights with a scale per column': [
    (x, g) => ops.matMul(x, dequantised(g, [4, 4], [4])),
    { float: 'float16' },
  ],
  'weights with a scale per block': [(x, g) => ops.matMul(x, dequantised(g, [4, 4], [2, 4], { block: 2 }))],
}

const bad: Record<string, [RegExp, ...Parameters<typeof complaints>]> = {
  'operators of ONNX Runtime': [
    /no operator com\.microsoft\.QuickGelu/,
    (x, g) => g.op('QuickGelu', [x], {}, { domain: 'com.microsoft' }),
  ],
  'operators whose result depends on data': [/no operator \.NonZero/, (x, g) => g.op('NonZero', [x])],
  'operators of a domain that is not theirs': [
    /not of the domain "trt"/,
    (x, g) => g.op('Add', [x, x], {}, { domain: 'trt' }),
  ],
  'sizes out of data': [
    /size depend on data/,
    (x, g) => ops.expand(x, ops.concat([g.input('size', 'int64', [1]), g.constant('int64', [1], [4])], 0)),
  ],
  'mixed types': [
    /input 1 is float32 among float16: types are mixed/,
    (x, g) => g.op('Add', [x, g.scalar('float32', 1)]),
    { float: 'float16' },
  ],
  'results of another type than the operands': [
    /output 0 is float32 among float16/,
    (x, g) => g.op('Abs', [x], {}, { dtype: 'float32' }),
    { float: 'float16' },
  ],
  'types that the operator lacks': [
    /input 0 may not be bfloat16/,
    (x, g) => g.op('ConvTranspose', [x, x]),
    { float: 'bfloat16' },
  ],
  'indices that are no integers': [
    /input 1 is float32, not int32 or int64/,
    (x, g) => g.op('Gather', [x, x]),
  ],
  'too few operands': [/1 inputs, not TT/, (x, g) => g.op('Add', [x])],
  'a left out operand that is needed': [/input 1 is missing/, (x, g) => g.op('Add', [x, null])],
  'unknown attributes': [
    /may not have the attribute softmax_precision/,
    (x, g) => g.op('Softmax', [x], { softmax_precision: 1 }),
  ],
  'attributes of a value that is refused': [
    /mode may not be wrap/,
    (x, g) => g.op('Pad', [x, g.constant('int64', [4], [0, 0, 0, 0])], { mode: 'wrap' }),
  ],
  'too many of the largest': [
    /k is 3841, more than 3840/,
    (x, g) => topK(x, g.constant('int64', [1], [3841])),
  ],
  'a computed number of the largest': [
    /k is no constant/,
    (x, g) => topK(x, ops.shapeOf(x, 0, 1)) && topK(x, g.input('k', 'int64', [1])),
  ],
  'sums over integers': [
    /input 0 may not be int64/,
    (x, g) => g.cast(ops.cumSum(ops.cast(x, 'int64'), 1), 'float32'),
  ],
  'sums along a computed axis': [
    /the axis is no constant/,
    (x, g) => g.op('CumSum', [x, ops.squeeze(ops.shapeOf(x, 0, 1), [0])]),
  ],
  'attention in float32 that must be one kernel': [
    /has to be decomposable/,
    heads((q) => q.graph.op('TRT_Attention', [q, q, q], {}, { domain: 'trt' })),
  ],
  'a mask beside a causal kind': [
    /a mask excludes causal_kind/,
    heads((q) => {
      const scores = ops.matMul(q, ops.transpose(q, [0, 1, 3, 2]))
      const inputs = [q, q, q, ops.less(scores, 0)]
      return q.graph.op('TRT_Attention', inputs, { causal_kind: 'lower_right' }, { domain: 'trt' })
    }),
  ],
  'a cache that is computed': [/is no input of the graph/, cached({ computed: true })],
  'a cache with a size left open': [
    /\[batch,2,rows,4\]: all but the batch must be fixed/,
    cached({ rows: 'rows' }),
  ],
  'a cache that is not handed back': [/the cache is no output/, cached({ kept: false })],
  'a cache that others read': [/is read by others/, cached({ read: true })],
  'scales of zero': [
    /scales must be above zero/,
    (x, g) => ops.matMul(x, dequantised(g, [4, 4], [4], { scale: 0 })),
  ],
  'too few scales': [/3 scales for \[4,4\]/, (x, g) => ops.matMul(x, dequantised(g, [4, 4], [3]))],
  'blocks along two axes': [
    /more or fewer than one axis/,
    (x, g) => ops.matMul(x, dequantised(g, [4, 4], [2, 2], { block: 2 })),
  ],
  'blocks that do not divide': [
    /do not divide/,
    (x, g) => ops.matMul(x, dequantised(g, [4, 4], [3, 4], { block: 2 })),
  ],
  'blocks of another size': [
    /block_size 4, but scales for 2/,
    (x, g) => ops.matMul(x, dequantised(g, [4, 4], [2, 4], { block: 4 })),
  ],
  'rows of int4 that end within a byte': [
    /end within a byte/,
    (x, g) => ops.matMul(x, dequantised(g, [4, 5], [5], { dtype: 'int4' })),
  ],
  'scales that are computed': [
    /must be constants/,
    (x, g) =>
      g.op(
        'DequantizeLinear',
        [bytes(g, [4, 4]), ops.reduceSum(x, [0], false)],
        { axis: 1 },
        { dtype: 'float32' },
      ),
  ],
  'stored numbers in other places': [
    /int8 numbers may not feed Gather/,
    (x, g) => ops.add(x, g.cast(ops.gather(bytes(g, [4, 4]), g.constant('int64', [1], [0])), 'float32')),
  ],
  'halves at the border': [
    /half: float16 crosses the border/,
    (x, g) => ops.add(x, g.cast(g.input('half', 'float16', [1]), 'float32')),
  ],
  'inputs that nothing reads': [
    /idle: an input that nothing reads/,
    (x, g) => {
      g.input('idle', 'int64', [1])
      return x
    },
  ],
  'an output under the name of an input': [
    /x: an input and an output share the name/,
    (x, g) => {
      g.output('x', ops.abs(x), ['n', 4])
      return undefined
    },
  ],
  'sizes without a profile': [/no profile for the sizes n/, (x) => x, { profiles: [] }],
  'profiles without a size': [
    /the profile p has n from 1 over 0 to 0/,
    (x) => x,
    { profiles: [{ name: 'p', sizes: {} }] },
  ],
}

describe('graph/tensorrt-rules', () => {
  for (const [what, [build, options]] of Object.entries(good))
    it(`allow ${what}`, () => assert.deepEqual(complaints(build, options), []))
  it('allow a cache that is updated in place', () => assert.deepEqual(complaints(...keptCache(8)), []))

  for (const [what, [message, build, options]] of Object.entries(bad))
    it(`forbid ${what}`, () => assert.match(complaints(build, options).join('\n'), message))
  it('forbid a cache of other rows than the state has', () =>
    assert.match(complaints(...keptCache(9)).join('\n'), /past: 8 rows, not the 9 of the state/))
})

function topK(x: Value, k: Value): Value {
  return x.graph.ops('TopK', [x, k], [x.dtype, 'int64'], { axis: -1 })[0]!
}

/** x [n, 4] as heads [1, 2, n, 2]. */
function heads(build: (q: Value) => Value): (x: Value) => Value {
  return (x) => ops.reshape(build(ops.transpose(ops.reshape(x, [1, -1, 2, 2]), [0, 2, 1, 3])), [-1, 4])
}

interface CacheOptions {
  rows?: number | string
  computed?: boolean
  kept?: boolean
  read?: boolean
}
function cached({ rows = 8, computed = false, kept = true, read = false }: CacheOptions) {
  return (x: Value, g: Graph): Value => {
    const dims = ['batch', 2, rows, 4]
    const input = g.input('past', 'float32', dims)
    const index = g.input('index', 'int64', ['batch'])
    const cache = computed ? ops.abs(input) : input
    const update = ops.reshape(x, [1, 2, -1, 4])
    const all = kvCacheUpdate(cache, update, index)
    if (kept) g.output('fresh', all, dims)
    return ops.reduceSum(read ? ops.add(all, input) : all, [1, 2, 3])
  }
}
function keptCache(stateRows: number): Parameters<typeof complaints> {
  const state = [{ past: 'past', fresh: 'fresh', heads: 2, width: 4 }]
  return [cached({}), { state, stateRows }]
}

function bytes(g: Graph, dims: readonly number[], dtype: DType = 'int8'): Value {
  const count = dims.reduce((a, b) => a * b, 1)
  return g.initializer('bytes', dtype, dims, () => new Int8Array(dtype === 'int4' ? count / 2 : count))
}
function dequantised(
  g: Graph,
  dims: readonly number[],
  scales: readonly number[],
  { scale = 0.5, block, dtype = 'int8' }: { scale?: number; block?: number; dtype?: DType } = {},
): Value {
  const count = scales.reduce((a, b) => a * b, 1)
  const scaleValue = g.initializer('scale', g.float, scales, () => new Float32Array(count).fill(scale))
  const attributes = block ? { axis: 0, block_size: block } : { axis: 1 }
  return g.op('DequantizeLinear', [bytes(g, dims, dtype), scaleValue], attributes, { dtype: g.float })
}
