/**
 * A graph for TensorRT in the standard operators that ONNX Runtime has on a CPU, so that its numbers can be proven
 * without a GPU. Every float is computed in float32; with `rounding`, what the graph has in float16 or bfloat16 (results
 * of nodes, and weights) is rounded to that type.
 */

import type { Node, Typed } from '#src/graph/file.js'
import { Graph, type Value } from '#src/graph/graph.js'
import { type DType, dataTypes } from '#src/graph/onnx.js'
import {
  add,
  expand,
  less,
  matMul,
  range,
  reshape,
  shapeOf,
  softmax,
  squeeze,
  sub,
  transpose,
  unsqueeze,
  where,
} from '#src/graph/ops.js'
import { noWeights } from './evaluate.js'

const isHalf = (dtype: DType): dtype is 'float16' | 'bfloat16' => dtype === 'float16' || dtype === 'bfloat16'
const widened = (dtype: DType): DType => (isHalf(dtype) ? 'float32' : dtype)

/** Operators that only move numbers, or choose among them: what comes out is rounded already. */
const moves = new Set(
  (
    'Concat Expand Gather GatherElements GatherND Identity Max Min Neg Pad Relu Reshape ScatterElements ScatterND ' +
    'Slice Split Squeeze Tile TRT_KVCacheUpdate Transpose Unsqueeze Where'
  ).split(' '),
)

/** The graph under the same names at its border, where halves become float32. */
export function portable(graph: Graph, { rounding }: { rounding: boolean }): Graph {
  const { name, nodes, initializers, inputs, outputs } = graph.content
  const p = new Graph(name, { weights: noWeights, target: 'tensorrt' })
  const rewritten = new Map<string, Value>()
  const result = ({ name }: Typed): Value => {
    const value = rewritten.get(name)
    if (!value) throw new Error(`${name} is used before it is made`)
    return value
  }
  const round = (value: Value, dtype: DType): Value =>
    rounding && isHalf(dtype) ? convert(convert(value, dtype), 'float32') : value

  for (const { name, dtype, dims } of inputs)
    rewritten.set(name, p.input(name, widened(dtype) as (typeof inputs)[number]['dtype'], dims))
  for (const { value, dims, data } of initializers) {
    // Not under its own name, which a constant of the rewriting may get.
    const stored = p.initializer(
      `given.${value.name}`,
      rounding ? value.dtype : widened(value.dtype),
      dims,
      data,
    )
    rewritten.set(value.name, isHalf(stored.dtype) ? convert(stored, 'float32') : stored)
  }
  for (const node of nodes) {
    const operands = node.inputs.map((input) => input && result(input))
    const results = inStandardForm(p, node, operands, round)
    for (const [i, { name, dtype }] of node.outputs.entries())
      if (name !== '') rewritten.set(name, moves.has(node.type) ? results[i]! : round(results[i]!, dtype))
  }
  for (const { name, dims } of outputs) p.output(name, result({ name, dtype: 'float32' }), dims)
  return p
}

const convert = (x: Value, to: DType): Value => x.graph.op('Cast', [x], { to: dataTypes[to] }, { dtype: to })

function inStandardForm(
  p: Graph,
  { type, inputs, outputs, attributes, domain }: Node,
  operands: readonly (Value | null)[],
  round: (value: Value, dtype: DType) => Value,
): Value[] {
  if (type === 'TRT_KVCacheUpdate') return [cacheUpdate(operands as Value[])]
  if (type === 'TRT_Attention') {
    const roundWeights = (weights: Value) => round(weights, inputs[0]!.dtype)
    return [attention(operands, String(attributes.causal_kind), roundWeights)]
  }
  if (domain !== '') throw new Error(`there is no standard form of ${domain}.${type}`)
  const types = outputs.map(({ name, dtype }) => (name === '' ? null : widened(dtype)))
  if (type !== 'Cast') return p.ops(type, operands, types, attributes)
  return [convert(operands[0]!, types[0]!)]
}

/** cache [B, h, rows, d] with update [B, h, S, d] from row index [B] on; rows beyond the end are an error here. */
function cacheUpdate([cache, update, index]: Value[]): Value {
  const steps = range(squeeze(shapeOf(update!, 2, 3), [0])) // [S]
  const rows = add(unsqueeze(index!, [1]), steps) // [B, S]
  const places = expand(unsqueeze(rows, [1, 3]), shapeOf(update!))
  return cache!.graph.op('ScatterElements', [cache!, places, update!], { axis: 2 })
}

/** As a fused kernel computes it: scores and softmax in float32, its weights rounded. */
function attention(
  [q, k, v, mask, queryLengths, lengths]: readonly (Value | null)[],
  causal: string,
  roundWeights: (weights: Value) => Value,
): Value {
  if (queryLengths || !['none', 'lower_right'].includes(causal))
    throw new Error(`attention with packed queries or causal_kind ${causal} has no rewriting yet`)
  const p = q!.graph
  const size = (x: Value, axis: number) => shapeOf(x, axis, axis + 1)
  const [B, kvHeads, T] = [0, 1, 2].map((axis) => size(k!, axis)) as [Value, Value, Value]
  const [S, width] = [size(q!, 2), size(q!, 3)]
  const rest = p.constant('int64', [1], [-1])
  const join = (...sizes: Value[]) => p.op('Concat', sizes, { axis: 0 })
  const grouped = reshape(q!, join(B, kvHeads, rest, S, width)) // [B, kvHeads, g, S, d]
  let scores = matMul(grouped, transpose(unsqueeze(k!, [2]), [0, 1, 2, 4, 3])) // [B, kvHeads, g, S, T]
  if (lengths || causal === 'lower_right') {
    const ends = lengths ? convert(lengths, 'int64') : T // [B] or [1]
    const row = unsqueeze(range(squeeze(S, [0])), [1]) // [S, 1]
    const seen = // [B, S, 1] rows of k that each row of q sees
      causal === 'none' ? unsqueeze(ends, [1, 2]) : add(sub(unsqueeze(ends, [1, 2]), sub(S, 1)), row)
    const visible = less(range(squeeze(T, [0])), seen) // [B, S, T]
    scores = where(unsqueeze(visible, [1, 2]), scores, Number.NEGATIVE_INFINITY)
  }
  if (mask) scores = where(unsqueeze(mask, [1]), scores, Number.NEGATIVE_INFINITY)
  const mixed = matMul(roundWeights(softmax(scores)), unsqueeze(v!, [2])) // [B, kvHeads, g, S, d]
  return reshape(mixed, shapeOf(q!))
}
