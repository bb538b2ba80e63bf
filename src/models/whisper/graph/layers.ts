/** What Whisper's encoder and decoder share. */
import type { Graph, Value } from '../../../graph/graph.js'
import { linear } from '../../../graph/linear.js'
import { add, gelu, layerNormalization, reshape, transpose } from '../../../graph/ops.js'
import type { Binding } from '../../../runtime/session.js'

/** Told every hidden state by name: a test build makes outputs of them. */
export type Observe = (name: string, value: Value) => void
export const unobserved: Observe = () => {}

export const input = (g: Graph, { name, dtype, dims }: Binding): Value => g.input(name, dtype, dims)
export const output = (g: Graph, { name, dims }: Binding, value: Value): void => g.output(name, value, dims)

export const layerNorm = (x: Value, name: string): Value =>
  layerNormalization(x, x.graph.weight(`${name}.weight`), x.graph.weight(`${name}.bias`), 1e-5)

/** x + fc2(gelu(fc1(norm(x)))), the Gelu with the exact error function. */
export const feedForward = (x: Value): Value =>
  add(x, linear(gelu(linear(layerNorm(x, 'final_layer_norm'), 'fc1')), 'fc2'))

/** [rows, heads · width] → [1, heads, rows, width]. */
export const toHeads = (x: Value, heads: number, width: number): Value =>
  transpose(reshape(x, [1, -1, heads, width]), [0, 2, 1, 3])

/** [1, heads, rows, width] → [rows, heads · width]. */
export const fromHeads = (x: Value, heads: number, width: number): Value =>
  reshape(transpose(x, [0, 2, 1, 3]), [-1, heads * width])
