/**
 * Attention, softmax(q·kᵀ / √d) · v, in the forms that the runtimes run fast: one operator, or, behind rows that a
 * sequence has kept, whatever spares a copy of them (DESIGN, "State stays where the engine runs").
 * Letters: B sequences, S new rows of each, h heads of width d, of which h / kvHeads share a key/value head.
 */
import { fusedMatMul, multiHeadAttention } from './contrib.js'
import type { Graph, Value } from './graph.js'
import {
  add,
  and,
  concat,
  expand,
  greater,
  less,
  lessOrEqual,
  matMul,
  mul,
  range,
  reshape,
  shapeOf,
  softmax,
  splitAt,
  squeeze,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from './ops.js'
import { attention, kvCacheUpdate } from './tensorrt.js'

export interface HeadSizes {
  readonly heads: number
  readonly width: number
  /** int64 [1]: the number of sequences, where there may be several; one if absent. */
  readonly batch?: Value | undefined
  /** S, where it is known when the graph is built: the engine's kernels then are for this very length. */
  readonly rows?: number
}

/** Rows [B·S, h·d] → [B, h, S, d]. */
export function toHeads(x: Value, { heads, width, batch, rows }: HeadSizes): Value {
  const g = x.graph
  if (rows) return transpose(reshape(x, [-1, rows, heads, width]), [0, 2, 1, 3])
  const rest = [-1, heads, width]
  const shape = batch
    ? g.memo(batch, `with ${rest}`, () => concat([batch, g.constant('int64', [3], rest)], 0))
    : [1, ...rest]
  return transpose(reshape(x, shape), [0, 2, 1, 3])
}

/** [B, h, S, d] → rows [B·S, h·d]. */
export const fromHeads = (x: Value, { heads, width }: HeadSizes): Value =>
  reshape(transpose(x, [0, 2, 1, 3]), [-1, heads * width])

/** Every row of q [B·S, h·d] to every row of k and v [B·T, h·d] of its sequence: → [B·S, h·d]. */
export function selfAttention(q: Value, k: Value, v: Value, sizes: HeadSizes): Value {
  if (q.graph.target === 'tensorrt') return crossAttention(q, toHeads(k, sizes), toHeads(v, sizes), sizes)
  const mixed = multiHeadAttention(unsqueeze(q, [0]), unsqueeze(k, [0]), unsqueeze(v, [0]), sizes.heads)
  return reshape(mixed, [-1, sizes.heads * sizes.width])
}

/** The same for k and v that lie in heads already: [B, h, T, d]. */
export function crossAttention(q: Value, k: Value, v: Value, sizes: HeadSizes): Value {
  const { heads, width } = sizes
  if (q.graph.target === 'onnxruntime')
    return reshape(multiHeadAttention(unsqueeze(q, [0]), k, v, heads), [-1, heads * width])
  const scaled = mul(toHeads(q, sizes), width ** -0.5)
  return fromHeads(q.dtype === 'float32' ? plainAttention(scaled, k, v) : attention(scaled, k, v), sizes)
}

/**
 * Written out, for float32 on TensorRT: there is no fused kernel to lose, and the builder of TensorRT-RTX crashes when
 * one graph has a decomposed attention and an LSTM.
 */
const plainAttention = (q: Value, k: Value, v: Value): Value =>
  matMul(softmax(matMul(q, transpose(k, [0, 1, 3, 2]))), v)

/** Names and sizes of what a sequence keeps; the run half's StateTensor has this form. */
export interface KeptTensor {
  readonly past: string
  readonly fresh: string
  readonly heads: number
  readonly width: number
}

/** Keys or values of one layer: those that the sequences have, and where the new ones go. */
export interface KeptRows {
  readonly past: Value
  /** @param rows this run's [B, kvHeads, S, d] (ONNX Runtime), or all with them in place (TensorRT) */
  keep(rows: Value): void
}

/**
 * Makes the state input and, with `keep`, the output of a layer's keys or values.
 * ONNX Runtime: the rows so far as float32 [batch, kvHeads, capacity, d], and the new ones [batch, kvHeads, rows, d].
 * TensorRT: the memory of the slots [batch, kvHeads, stateRows, d] in the graph's type, in and out at one address.
 */
export function keptRows(g: Graph, { past, fresh, heads, width }: KeptTensor, stateRows: number): KeptRows {
  if (g.target === 'onnxruntime')
    return {
      past: g.input(past, 'float32', ['batch', heads, 'capacity', width]),
      keep: (rows) => g.output(fresh, rows, ['batch', heads, 'rows', width]),
    }
  const dims = ['batch', heads, stateRows, width]
  return { past: g.input(past, g.float, dims), keep: (rows) => g.output(fresh, rows, dims) }
}

/** int64 [B, S]: the positions of S new rows of each sequence, of which `pastLength` [B] are there; `newRows` is [1]. */
export const rowPositions = (pastLength: Value, newRows: Value): Value =>
  pastLength.graph.memo(pastLength, 'positions', () =>
    add(unsqueeze(pastLength, [1]), range(squeeze(newRows, [0]))),
  )

/** What layers share: which rows may look at which. */
export type Sight =
  | {
      readonly target: 'onnxruntime'
      /** [B, 1, g·S, P + S]: 0 or −∞ for every new row of every head of a group, and every kept, then new row. */
      readonly mask: Value
      /** Capacity of the state and number of new rows: int64 [2]. */
      readonly sizes: Value
    }
  | {
      readonly target: 'tensorrt'
      /** int64 [B]: where the new rows go. */
      readonly pastLength: Value
      /** int32 [B]: rows that count when the new ones are in place. */
      readonly lengths: Value
      /** bool [B, 1, S, T] for T rows of state: whether a new row sees a row. */
      readonly visible: (T: Value) => Value
      /** Whether it is more than the rows behind it that a new row does not see. */
      readonly windowed: boolean
    }

/**
 * A new row sees the kept rows below the past length, itself, and the new rows before it; with a window, of these only
 * the last `window`, itself among them.
 * @param pastLength int64 [B]
 * @param newRows int64 [1]: S
 * @param anyPast one of the state inputs, for its capacity
 * @param options.groups query heads per key/value head
 */
export function sightOf(
  pastLength: Value,
  newRows: Value,
  anyPast: Value,
  { groups, window = null }: { groups: number; window?: number | null },
): Sight {
  const g = pastLength.graph
  if (g.target === 'tensorrt') {
    const visible = (T: Value) =>
      g.memo(pastLength, `visible within ${window}`, () => {
        const [row, at] = [range(squeeze(T, [0])), unsqueeze(rowPositions(pastLength, newRows), [1, 3])]
        return withinWindow(lessOrEqual(row, at), row, () => at, window)
      })
    const lengths = g.cast(add(pastLength, newRows), 'int32')
    return { target: 'tensorrt', pastLength, lengths, visible, windowed: window !== null }
  }
  const capacity = shapeOf(anyPast, 2, 3) // [1]
  const past = unsqueeze(pastLength, [1, 2, 3]) // [B, 1, 1, 1]
  const keptRow = range(squeeze(capacity, [0])) // [P]
  const newRow = range(squeeze(newRows, [0])) // [S]
  const down = unsqueeze(newRow, [1]) // [S, 1]
  const kept = withinWindow(less(keptRow, past), keptRow, () => add(past, down), window) // [B, 1, 1 or S, P]
  const among = withinWindow(lessOrEqual(newRow, down), newRow, () => down, window) // [S, S]
  const square = (width: Value) =>
    concat([shapeOf(pastLength), g.constant('int64', [1], [1]), newRows, width], 0)
  const visible = concat([expand(kept, square(capacity)), expand(among, square(newRows))], 3) // [B, 1, S, P + S]
  const bias = where(visible, g.scalar('float32', 0), Number.NEGATIVE_INFINITY)
  const mask = groups === 1 ? bias : concat(Array(groups).fill(bias), 2)
  return { target: 'onnxruntime', mask, sizes: concat([capacity, newRows], 0) }
}

/** Of the rows that are visible, those less than `window` before the row at position `at`. */
const withinWindow = (visible: Value, row: Value, at: () => Value, window: number | null): Value =>
  window === null ? visible : and(visible, greater(row, sub(at(), window)))

/**
 * q [B, h, S, d] behind kept keys and values, and k and v [B, kvHeads, S, d] that join them: → [B, h, S, d].
 *
 * ONNX Runtime: kept and new rows are scored apart, so that the state is never copied, and share one softmax; the
 * heads that share a key/value head are rows of one matrix. TensorRT: the new rows are written in place, and one kernel
 * attends to the rows that count; where scores are capped, which no kernel knows, all is written out.
 * @param options.scale what scores are multiplied by; d^-½ if absent
 * @param options.cap scores x become cap · tanh(x / cap), if any
 */
export function cachedAttention(
  q: Value,
  k: Value,
  v: Value,
  options: {
    keys: KeptRows
    values: KeptRows
    sight: Sight
    heads: number
    kvHeads: number
    width: number
    scale?: number
    cap?: number | null
  },
): Value {
  const { keys, values, sight, heads, kvHeads, width, scale = width ** -0.5, cap = null } = options
  if (sight.target === 'tensorrt') {
    const [allKeys, allValues] = [
      kvCacheUpdate(keys.past, k, sight.pastLength),
      kvCacheUpdate(values.past, v, sight.pastLength),
    ]
    keys.keep(allKeys)
    values.keep(allValues)
    const { lengths, windowed } = sight
    if (cap === null && !windowed)
      return attention(mul(q, scale), allKeys, allValues, { causal: true, lengths })
    const mask = sight.visible(shapeOf(allKeys, 2, 3))
    if (cap === null) return attention(mul(q, scale), allKeys, allValues, { mask, lengths })
    return cappedAttention(mul(q, scale / cap), allKeys, allValues, { mask, cap, heads, kvHeads, width })
  }
  const alpha = cap === null ? scale : scale / cap
  const grouped = heads === kvHeads ? q : reshape(q, [0, kvHeads, -1, width]) // [B, kvHeads, g·S, d]
  const pastScores = fusedMatMul(grouped, keys.past, { alpha, transB: true }) // [B, kvHeads, g·S, P]
  const newScores = fusedMatMul(grouped, k, { alpha, transB: true }) // [B, kvHeads, g·S, S]
  const scores = concat([pastScores, newScores], 3)
  const weights = softmax(add(cap === null ? scores : mul(tanh(scores), cap), sight.mask))
  const [pastWeights, newWeights] = splitAt(weights, sight.sizes, 2, 3)
  const mixed = add(matMul(pastWeights!, values.past), matMul(newWeights!, v))
  keys.keep(k)
  values.keep(v)
  return heads === kvHeads ? mixed : reshape(mixed, [0, heads, -1, width])
}

/**
 * softmax(cap · tanh(q·kᵀ)) · v, written out; between the products all is float32.
 * @param options.mask bool [B, 1, S, T]: whether a row of q sees a row
 */
function cappedAttention(
  q: Value,
  k: Value,
  v: Value,
  {
    mask,
    cap,
    heads,
    kvHeads,
    width,
  }: { mask: Value; cap: number; heads: number; kvHeads: number; width: number },
): Value {
  const grouped = reshape(q, [0, kvHeads, heads / kvHeads, -1, width]) // [B, kvHeads, g, S, d]
  const scores = matMul(grouped, transpose(unsqueeze(k, [2]), [0, 1, 2, 4, 3])) // [B, kvHeads, g, S, T]
  const weights = q.graph.float32([scores], (scores) =>
    softmax(where(unsqueeze(mask, [1]), mul(tanh(scores), cap), Number.NEGATIVE_INFINITY)),
  )
  return reshape(matMul(weights, unsqueeze(v, [2])), [0, heads, -1, width])
}
