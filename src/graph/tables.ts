/**
 * Tables [V, K]: rows that are looked up, the embeddings, and the outputs that are as many, the logits. In ONNX Runtime's
 * int8 forms they lie in blocks; on TensorRT a table that is looked up is floats always.
 */
import type { Graph, Value } from './graph.js'
import { blockConstants, blocksProduct, multiply } from './linear.js'
import {
  add,
  cast,
  concat,
  div,
  floor,
  gather,
  gemm,
  mul,
  reshape,
  slice,
  sub,
  transpose,
  unsqueeze,
} from './ops.js'
import { type BlockForm, blockForm } from './packing.js'
import { int4Kind } from './short-weights.js'
import type { Weight } from './weight.js'

/**
 * The rows `ids` int64 [M] of the scope's table `<name>.weight` [V, K] → [M, K]. In ONNX Runtime's int8 forms the table
 * is in blocks; on TensorRT it is floats always. {@link tableProduct} uses the same constants.
 */
export function embedding(g: Graph, name: string, ids: Value): Value {
  const table = g.tensor(`${name}.weight`)
  if (g.target === 'tensorrt') return gather(tableOf(g, `${name}.weight`), ids)
  const form = tableForm(g, table)
  if (!form) return gather(g.weight(`${name}.weight`), ids)
  const [V, K] = table.dims as [number, number]
  const layer = { weights: [table], name: g.at(`${name}.weight`), K, N: V }
  const { q, scale, correction, zeros } = blockConstants(g, layer, form)
  const blocks = K / form.block
  const bytes = cast(gather(q, ids), 'float32') // [M, blocks, block · bits / 8]
  const perBlock = (numbers: Value) => gather(reshape(numbers, [V, blocks, 1]), ids)
  const numbers = form.bits === 8 ? bytes : reshape(halvesOf(bytes), [-1, blocks, form.block])
  const middle = zeros ? cast(perBlock(zeros), 'float32') : g.scalar('float32', 2 ** (form.bits - 1))
  const values = mul(sub(numbers, middle), perBlock(scale))
  if (!correction) return reshape(values, [-1, K])
  const minima = transpose(gather(correction, ids, 1), [1, 0]) // [M, blocks]
  return reshape(add(values, reshape(minima, [-1, blocks, 1])), [-1, K])
}

/** The two numbers of 4 bits in each byte [M, blocks, n], the lower first: → [M, blocks, n, 2]. */
function halvesOf(bytes: Value): Value {
  const high = floor(div(bytes, 16))
  const low = sub(bytes, mul(high, 16))
  return concat([unsqueeze(low, [-1]), unsqueeze(high, [-1])], -1)
}

/** The form of a table whose rows are looked up: as {@link multiply} has it, but for zero points of 4 bits. */
function tableForm(g: Graph, table: Weight): BlockForm | null {
  if (g.linear === 'float32') return null
  const exact = blockForm(table, true)
  return g.linear === 'int8-blocks' && exact?.offset === 'correction' ? exact : blockForm(table, false)
}

/** x [M, K] times the scope's table of {@link embedding}, as the output matrix that is tied to it: → [M, V]. */
export function tableProduct(x: Value, name: string): Value {
  const g = x.graph
  const full = `${name}.weight`
  const table = g.tensor(full)
  const [V, K] = table.dims as [number, number]
  if (g.target === 'tensorrt') {
    const product = gemm(x, tableOf(g, full), null, { transB: true })
    return V % TABLE_ROWS === 0 ? product : slice(product, 1, 0, V)
  }
  const form = tableForm(g, table)
  if (!form || g.linear === 'int8-digits') return multiply(x, [table], g.at(full))
  return blocksProduct({ x, weights: [table], name: g.at(full), K, N: V }, form)
}

/**
 * x [M, K] times the scope's matrix of outputs `<name>.weight` [V, K] → [M, V]. Nothing behind it evens its errors
 * out: where four bits are asked for and the checkpoint does not have them, it gets eight.
 */
export function outputProduct(x: Value, name: string): Value {
  const g = x.graph
  const weight = g.tensor(`${name}.weight`)
  const form = g.linear === 'int4' && int4Kind(weight) === 'rounded' ? 'int8' : g.linear
  return multiply(x, [weight], g.at(`${name}.weight`), form)
}

/** TensorRT stores a matrix of an output once more if its rows are no multiple of this, even where others share it. */
const TABLE_ROWS = 8

/** The table `name` [V, K] in the graph's float type, with rows of zeros up to the next multiple of {@link TABLE_ROWS}. */
function tableOf(g: Graph, name: string): Value {
  const tensor = g.tensor(name)
  const [V, K] = tensor.dims as [number, number]
  if (V % TABLE_ROWS === 0) return g.weight(name)
  const rows = Math.ceil(V / TABLE_ROWS) * TABLE_ROWS
  return g.once(`table ${g.at(name)} ${g.float}`, () =>
    g.initializer(g.at(name), g.float, [rows, K], () => {
      const padded = new Float32Array(rows * K)
      padded.set(tensor.floats())
      return padded
    }),
  )
}
