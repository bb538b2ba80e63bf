/** Layers of the text half, over rows [N, C]; weights by the names at the present scope. */

import type { Graph, Value } from '../../../graph/graph.js'
import {
  add,
  concat,
  expand,
  gemm,
  layerNormalization,
  lstm,
  reshape,
  shapeOf,
  split,
  unsqueeze,
} from '../../../graph/ops.js'
import { joined } from '../../../graph/packing.js'
import type { Binding } from '../../../runtime/session.js'

/** Tells tests of values inside a graph. */
export type Observe = (name: string, value: Value) => void

export const inputOf = (g: Graph, { name, dtype, dims }: Binding): Value => g.input(name, dtype, dims)

/** x [M, K] · weight [N, K]ᵀ + bias: the scope `name` has `weight` and `bias`. Used twice, its weights are stored once. */
export function dense(x: Value, name: string): Value {
  const g = x.graph
  return g.scope(name, () => gemm(x, g.weight('weight'), g.weight('bias'), { transB: true }))
}

/** (γ, β) [C] each of a style [1, S]: the scope's `fc` [2C, S]. */
export function styleOf(style: Value): [Value, Value] {
  const g = style.graph
  const channels = g.tensor('fc.weight').dims[0]! / 2
  const [gamma, beta] = split(reshape(dense(style, 'fc'), [2 * channels]), [channels, channels], 0)
  return [gamma!, beta!]
}

/** LayerNorm without weights of x [N, C], then (1 + γ) · x + β by the style (StyleTTS2's AdaLayerNorm). */
export function adaLayerNorm(x: Value, style: Value): Value {
  const [gamma, beta] = styleOf(style)
  return layerNormalization(x, add(gamma, 1), beta, 1e-5)
}

/** x [N, C] and the style [1, S] beside every row → [N, C + S]. */
export function withStyle(x: Value, style: Value): Value {
  const g = x.graph
  const rows = concat([shapeOf(x, 0, 1), shapeOf(style, 1, 2)], 0)
  return concat([x, g.memo(x, `beside ${style.name}`, () => expand(style, rows))], 1)
}

/** PyTorch's gates are i f g o, ONNX's i o f c. */
const gateOrder = [0, 3, 1, 2]

/** x [T, in] → [T, 2H]: both directions side by side. The scope `name` has PyTorch's LSTM tensors. */
export function biLstm(x: Value, name: string): Value {
  const g = x.graph
  return g.scope(name, () => {
    const both = (part: string) => ['', '_reverse'].map((direction) => g.tensor(`${part}_l0${direction}`))
    const [wx, wh] = [both('weight_ih'), both('weight_hh')]
    const [bx, bh] = [both('bias_ih'), both('bias_hh')]
    const [rows, width] = wx[0]!.dims as [number, number]
    const hidden = rows / 4
    const gates = (parts: readonly { floats(): Float32Array }[]) =>
      joined(parts.map((part) => reordered(part.floats())))
    const w = g.initializer(g.at('weight_ih'), g.float, [2, rows, width], () => gates(wx))
    const r = g.initializer(g.at('weight_hh'), g.float, [2, rows, hidden], () => gates(wh))
    const b = g.initializer(g.at('bias'), g.float, [2, 2 * rows], () =>
      gates([bx[0]!, bh[0]!, bx[1]!, bh[1]!]),
    )
    const y = lstm(unsqueeze(x, [1]), w, r, b, { hidden, direction: 'bidirectional' }) // [T, 2, 1, H]
    return reshape(y, [-1, 2 * hidden])
  })
}

function reordered(values: Float32Array): Float32Array {
  const size = values.length / 4
  return joined(gateOrder.map((gate) => values.subarray(gate * size, (gate + 1) * size)))
}
