/** What Whisper's encoder and decoder share. */
import type { Graph, Value } from '../../../graph/graph.js'
import { linear } from '../../../graph/linear.js'
import { add, gelu, layerNormalization } from '../../../graph/ops.js'
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
