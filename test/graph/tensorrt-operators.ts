/**
 * The operators that TensorRT 11's parser accepts and builds, as far as our graphs may use them, with their types and
 * attributes: https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md, and what trials showed beside it.
 */
import type { DType } from '#src/graph/onnx.js'

const floats = ['float32', 'float16', 'bfloat16'] as const
const integers = ['int32', 'int64'] as const
const stored = ['int8', 'int4', 'float8e4m3fn'] as const
const all = [...floats, ...integers, 'bool'] as const

export interface Operator {
  /** Types that the operands called T may have; all of a node's are of one. */
  readonly T: readonly DType[]
  /**
   * A letter for each input: T; i an integer, l int64, w int32, b bool, q a stored constant. The last with a + may be
   * repeated, those behind a ? may be left out.
   */
  readonly inputs: string
  /** A letter for each output, * for any type. */
  readonly outputs: string
  /** Attributes that it may have, and their values if not all are good. */
  readonly attributes: Readonly<Record<string, readonly (string | number)[] | null>>
  /** Inputs from whose numbers the sizes of the result follow: they may depend on sizes alone. */
  readonly sizes?: readonly number[]
}

const row = (
  T: readonly DType[],
  inputs: string,
  attributes: Operator['attributes'] = {},
  { outputs = 'T', sizes }: { outputs?: string; sizes?: readonly number[] } = {},
): Operator => ({ T, inputs, outputs, attributes, ...(sizes ? { sizes } : {}) })

const rows = (names: string, operator: Operator): Record<string, Operator> =>
  Object.fromEntries(names.split(' ').map((name) => [name, operator]))

const axis = { axis: null }
const convolution = {
  strides: null,
  pads: null,
  dilations: null,
  group: null,
}
const reduction = { keepdims: null, noop_with_empty_axes: null }

export const operators: Readonly<Record<string, Operator>> = {
  ...rows('Add Sub Mul Div Max Min', row([...floats, ...integers], 'TT')),
  ...rows('Mod', row([...floats, ...integers], 'TT', { fmod: null })),
  ...rows('Pow', row(floats, 'TT')),
  ...rows('MatMul', row(floats, 'TT')),
  ...rows(
    'Less LessOrEqual Greater GreaterOrEqual',
    row([...floats, ...integers], 'TT', {}, { outputs: 'b' }),
  ),
  ...rows('Equal', row(all, 'TT', {}, { outputs: 'b' })),
  ...rows('And Or Xor', row(['bool'], 'TT')),
  ...rows('Not', row(['bool'], 'T')),
  ...rows('Abs Neg Sign', row([...floats, ...integers], 'T')),
  ...rows(
    'Atan Ceil Cos Erf Exp Floor Log Reciprocal Relu Round Sigmoid Sin Softplus Sqrt Tan Tanh',
    row(floats, 'T'),
  ),
  ...rows('IsNaN IsInf', row(floats, 'T', {}, { outputs: 'b' })),
  ...rows('Identity', row(all, 'T')),
  Gelu: row(floats, 'T', { approximate: ['none', 'tanh'] }),
  LeakyRelu: row(floats, 'T', { alpha: null }),
  Clip: row([...floats, ...integers], 'T?TT'),
  Softmax: row(floats, 'T', axis),
  Where: row(all, 'bTT'),
  Cast: row(all, 'T', { to: null }, { outputs: '*' }),

  Concat: row(all, 'T+', axis),
  Expand: row(all, 'Tl', {}, { sizes: [1] }),
  Gather: row(all, 'Ti', axis),
  GatherElements: row(all, 'Ti', axis),
  GatherND: row(all, 'Tl', { batch_dims: null }),
  Pad: row([...floats, ...integers], 'Tl?Tl', { mode: ['constant', 'reflect', 'edge'] }, { sizes: [1] }),
  Reshape: row(all, 'Tl', { allowzero: null }, { sizes: [1] }),
  ScatterElements: row([...floats, ...integers], 'TiT', { axis: null, reduction: ['none'] }),
  ScatterND: row([...floats, ...integers], 'TlT', { reduction: ['none'] }),
  Shape: row(all, 'T', { start: null, end: null }, { outputs: 'l' }),
  Slice: row(all, 'Tii?ii', {}, { sizes: [1, 2, 3, 4] }),
  Split: row(all, 'Tl', axis, { outputs: 'T+', sizes: [1] }),
  Squeeze: row(all, 'Tl', {}, { sizes: [1] }),
  Tile: row(all, 'Tl', {}, { sizes: [1] }),
  Transpose: row(all, 'T', { perm: null }),
  Unsqueeze: row(all, 'Tl', {}, { sizes: [1] }),
  Range: row(['float32', ...integers], 'TTT', {}, { sizes: [0, 1, 2] }),

  ...rows(
    'ReduceMax ReduceMin ReduceSum ReduceMean ReduceProd',
    row([...floats, ...integers], 'T?l', reduction, { sizes: [1] }),
  ),
  ...rows('ReduceLogSumExp ReduceSumSquare ReduceL2', row(floats, 'T?l', reduction, { sizes: [1] })),
  ArgMax: row(floats, 'T', { axis: null, keepdims: null, select_last_index: [0] }, { outputs: 'l' }),
  CumSum: row(floats, 'Ti', { exclusive: null, reverse: null }),
  TopK: row(floats, 'Tl', { axis: null, largest: null, sorted: [1] }, { outputs: 'Tl', sizes: [1] }),

  Conv: row(floats, 'TT?T', { ...convolution, kernel_shape: null }),
  // In bfloat16 it parses, and fails when the engine is built.
  ConvTranspose: row(['float32', 'float16'], 'TT?T', {
    ...convolution,
    kernel_shape: null,
    output_padding: null,
  }),
  Gemm: row(floats, 'TT?T', { transA: null, transB: null, alpha: null, beta: null }),
  Einsum: row(floats, 'T+', { equation: null }),
  LSTM: row(
    floats,
    'TTT?TwTT',
    { hidden_size: null, direction: ['forward', 'bidirectional'], layout: null },
    { outputs: 'T?TT' },
  ),
  Resize: row(
    ['float32', 'float16'],
    'T?TTl',
    {
      mode: ['nearest', 'linear'],
      coordinate_transformation_mode: ['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'],
      nearest_mode: ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'],
    },
    { sizes: [2, 3] },
  ),
  STFT: row(['float32'], 'Tl?Tl', { onesided: null }, { sizes: [1, 3] }),

  InstanceNormalization: row(floats, 'TTT', { epsilon: null }),
  LayerNormalization: row(floats, 'TT?T', { axis: null, epsilon: null }),
  RMSNormalization: row(floats, 'TT', { axis: null, epsilon: null }),
  RotaryEmbedding: row(floats, 'TTT?l', { interleaved: null, num_heads: null, rotary_embedding_dim: null }),
  DequantizeLinear: row(floats, 'qT', { axis: null, block_size: null }),

  // The mask may be additive, in T, as well: ours are not.
  TRT_Attention: row(floats, 'TTT?bww', {
    causal_kind: ['none', 'upper_left', 'lower_right'],
    TRT_decomposable: [0, 1],
  }),
  TRT_KVCacheUpdate: row(floats, 'TTi'),
}

export const letters: Readonly<Record<string, readonly DType[]>> = {
  i: integers,
  l: ['int64'],
  w: ['int32'],
  b: ['bool'],
  q: stored,
}
