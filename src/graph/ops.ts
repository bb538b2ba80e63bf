/**
 * ONNX's standard operators (opset 21 and 23) as functions on values: https://onnx.ai/onnx/operators/. A number among
 * the operands stands for a scalar of the other operand's type. Shapes are given as numbers (0 = as the input,
 * -1 = the rest) or as a value of int64.
 */
import type { Value } from './graph.js'
import { type DType, dataTypes } from './onnx.js'

export type Operand = Value | number
export type Shape = readonly number[] | Value

const operands = (a: Operand, b: Operand): [Value, Value] => {
  const typed = typeof a === 'number' ? b : a
  if (typeof typed === 'number') throw new Error('two numbers need no node')
  const value = (x: Operand) => (typeof x === 'number' ? typed.graph.scalar(typed.dtype, x) : x)
  return [value(a), value(b)]
}
const binary =
  (type: string, dtype?: DType) =>
  (a: Operand, b: Operand): Value => {
    const inputs = operands(a, b)
    return inputs[0].graph.op(type, inputs, {}, dtype ? { dtype } : {})
  }
const unary =
  (type: string) =>
  (x: Value): Value =>
    x.graph.op(type, [x])

export const add = binary('Add')
export const sub = binary('Sub')
export const mul = binary('Mul')
export const div = binary('Div')
export const max = binary('Max')
export const less = binary('Less', 'bool')
export const lessOrEqual = binary('LessOrEqual', 'bool')
export const greater = binary('Greater', 'bool')
export const greaterOrEqual = binary('GreaterOrEqual', 'bool')
export const and = binary('And')
export const matMul = binary('MatMul')
/** a [M, K] · b [K, N] (or bᵀ of [N, K]) + c [N]. */
export const gemm = (a: Value, b: Value, c: Value | null, { transB = false } = {}): Value =>
  a.graph.op('Gemm', c ? [a, b, c] : [a, b], { transB: transB ? 1 : 0 })

export const abs = unary('Abs')
export const atan = unary('Atan')
export const cos = unary('Cos')
export const exp = unary('Exp')
export const floor = unary('Floor')
export const log = unary('Log')
export const round = unary('Round')
export const sigmoid = unary('Sigmoid')
export const sin = unary('Sin')
export const sqrt = unary('Sqrt')
export const tanh = unary('Tanh')

export const cast = (x: Value, to: DType): Value =>
  x.graph.op('Cast', [x], { to: dataTypes[to] }, { dtype: to })
export const gelu = (x: Value, approximate: 'none' | 'tanh' = 'none'): Value =>
  x.graph.op('Gelu', [x], { approximate })
export const leakyRelu = (x: Value, alpha: number): Value =>
  x.graph.op('LeakyRelu', [x], { alpha: { float: alpha } })
export const softmax = (x: Value, axis = -1): Value => x.graph.op('Softmax', [x], { axis })
/** `condition ? a : b`, element by element. */
export const where = (condition: Value, a: Operand, b: Operand): Value => {
  const [x, y] = operands(a, b)
  return x.graph.op('Where', [condition, x, y], {}, { dtype: x.dtype })
}

const shapeOperand = (x: Value, shape: Shape): Value =>
  Array.isArray(shape) ? x.graph.constant('int64', [shape.length], shape) : (shape as Value)
const axesOperand = (x: Value, axes: readonly number[]) => x.graph.constant('int64', [axes.length], axes)

export const reshape = (x: Value, shape: Shape): Value => x.graph.op('Reshape', [x, shapeOperand(x, shape)])
export const expand = (x: Value, shape: Shape): Value => x.graph.op('Expand', [x, shapeOperand(x, shape)])
export const transpose = (x: Value, perm: readonly number[]): Value => x.graph.op('Transpose', [x], { perm })
export const unsqueeze = (x: Value, axes: readonly number[]): Value =>
  x.graph.op('Unsqueeze', [x, axesOperand(x, axes)])
export const squeeze = (x: Value, axes: readonly number[]): Value =>
  x.graph.op('Squeeze', [x, axesOperand(x, axes)])
export const concat = (values: readonly Value[], axis: number): Value =>
  values[0]!.graph.op('Concat', values, { axis })
export const split = (x: Value, sizes: readonly number[], axis: number): Value[] =>
  x.graph.ops(
    'Split',
    [x, axesOperand(x, sizes)],
    sizes.map(() => x.dtype),
    { axis },
  )
/** As {@link split}, into `parts` sizes that are known only at run time: int64 [parts]. */
export const splitAt = (x: Value, sizes: Value, parts: number, axis: number): Value[] =>
  x.graph.ops('Split', [x, sizes], Array(parts).fill(x.dtype), { axis })
/** Rows `indices` of `x` along `axis`. */
export const gather = (x: Value, indices: Value, axis = 0): Value =>
  x.graph.op('Gather', [x, indices], { axis }, { dtype: x.dtype })
/** `x[start:end:step]` along one axis; a value for start or end is int64 of shape [1]. */
export const slice = (x: Value, axis: number, start: Operand, end: Operand, step = 1): Value => {
  const index = (n: Operand) => (typeof n === 'number' ? x.graph.constant('int64', [1], [n]) : n)
  const inputs = [x, index(start), index(end), index(axis)]
  return x.graph.op('Slice', step === 1 ? inputs : [...inputs, index(step)])
}
/** `pads`: begins of all axes, then ends. `constant` pads with zero. */
export const pad = (
  x: Value,
  pads: readonly number[],
  mode: 'constant' | 'reflect' | 'edge' = 'constant',
): Value => x.graph.op('Pad', [x, axesOperand(x, pads)], { mode })
/** The sizes of axes start..end (all without them) as int64. */
export const shapeOf = (x: Value, start?: number, end?: number): Value =>
  x.graph.op('Shape', [x], { start, end }, { dtype: 'int64' })
/** 0, 1 … n-1; `n` is a scalar value. */
export const range = (n: Value): Value =>
  n.graph.op('Range', [n.graph.scalar(n.dtype, 0), n, n.graph.scalar(n.dtype, 1)])
/** Sum of all elements up to and including each, along `axis`. */
export const cumSum = (x: Value, axis: number): Value =>
  x.graph.op('CumSum', [x, x.graph.scalar('int64', axis)])

/** The k largest along the last axis, largest first, and where they are: [values, int64 places]. */
export const topK = (x: Value, k: number): [Value, Value] => {
  const inputs = [x, x.graph.constant('int64', [1], [k])]
  const [values, places] = x.graph.ops('TopK', inputs, [x.dtype, 'int64'], { axis: -1 })
  return [values!, places!]
}

const reduce =
  (type: string) =>
  (x: Value, axes: readonly number[], keepdims = true): Value =>
    x.graph.op(type, [x, axesOperand(x, axes)], { keepdims: keepdims ? 1 : 0 })
export const reduceMax = reduce('ReduceMax')
export const reduceSum = reduce('ReduceSum')

/**
 * (q − zero) · scale. With an axis, scales lie along it: one for every place there, or for every `block` of them; else one
 * is for all.
 */
export const dequantizeLinear = (
  q: Value,
  scale: Value,
  { axis, block, zero }: { axis?: number; block?: number | undefined; zero?: Value } = {},
): Value =>
  q.graph.op(
    'DequantizeLinear',
    zero ? [q, scale, zero] : [q, scale],
    { axis, block_size: block },
    { dtype: scale.dtype },
  )

export interface ConvOptions {
  strides?: readonly number[]
  /** Begins of all spatial axes, then ends. */
  pads?: readonly number[]
  dilations?: readonly number[]
  group?: number
}
/** x [N, C, …], w [O, C/group, …k], bias [O]. */
export const conv = (x: Value, w: Value, bias: Value | null, options: ConvOptions = {}): Value =>
  x.graph.op('Conv', bias ? [x, w, bias] : [x, w], { ...options })
/** x [N, C, …], w [C, O/group, …k], bias [O]. */
export const convTranspose = (
  x: Value,
  w: Value,
  bias: Value | null,
  options: ConvOptions & { output_padding?: readonly number[] } = {},
): Value => x.graph.op('ConvTranspose', bias ? [x, w, bias] : [x, w], { ...options })
/** (x − mean) / √(variance + epsilon) · scale + bias over the last axis. */
export const layerNormalization = (x: Value, scale: Value, bias: Value | null, epsilon: number): Value =>
  x.graph.op('LayerNormalization', bias ? [x, scale, bias] : [x, scale], {
    axis: -1,
    epsilon: { float: epsilon },
  })
/** x / √(mean(x²) + epsilon) · scale over the last axis (opset 23). */
export const rmsNormalization = (x: Value, scale: Value, epsilon: number): Value =>
  x.graph.op('RMSNormalization', [x, scale], { axis: -1, epsilon: { float: epsilon } })
/**
 * x [B, heads, S, d], cos and sin [maxPositions, width/2], positions int64 [B, S]; of the first `width` numbers of each
 * head (all of them if absent) halves rotated (opset 23).
 */
export const rotaryEmbedding = (
  x: Value,
  cos: Value,
  sin: Value,
  positions: Value,
  { width }: { width?: number | undefined } = {},
): Value =>
  x.graph.op('RotaryEmbedding', [x, cos, sin, positions], { interleaved: 0, rotary_embedding_dim: width })
/** x [1, C, …]: each channel by its own mean and biased variance, then scale [C] and bias [C], which may be computed. */
export const instanceNormalization = (x: Value, scale: Value, bias: Value, epsilon: number): Value =>
  x.graph.op('InstanceNormalization', [x, scale, bias], { epsilon: { float: epsilon } })
/** x [T, B, in], w [D, 4H, in], r [D, 4H, H], b [D, 8H] in gate order i o f c → y [T, D, B, H]. */
export const lstm = (
  x: Value,
  w: Value,
  r: Value,
  b: Value,
  { hidden, direction }: { hidden: number; direction: 'forward' | 'bidirectional' },
): Value => x.graph.op('LSTM', [x, w, r, b], { hidden_size: hidden, direction })
