/** Keys and values that sequences keep between runs, and which of them a new row sees. Letters as in attention.ts. */
import type { Graph, Value } from './graph.js'
import {
  add,
  and,
  concat,
  expand,
  greater,
  less,
  lessOrEqual,
  range,
  shapeOf,
  squeeze,
  sub,
  unsqueeze,
  where,
} from './ops.js'

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
