/**
 * Attention behind rows that a sequence has kept, in whatever form spares a copy of them (DESIGN, "State stays where the
 * engine runs"). Letters as in attention.ts.
 */
import { fromHeads } from './attention.js'
import { fusedMatMul, groupQueryAttention } from './contrib.js'
import type { Value } from './graph.js'
import type { Sight } from './kept-rows.js'
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  shapeOf,
  slice,
  softmax,
  split,
  splitAt,
  squeeze,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from './ops.js'
import { attention, kvCacheUpdate } from './tensorrt.js'
import { type RotaryPositions, rotated } from './transformer.js'

export interface CachedSizes {
  readonly heads: number
  readonly kvHeads: number
  readonly width: number
  /** What scores are multiplied by; d^-½ if absent. */
  readonly scale?: number
  /** Scores x become cap · tanh(x / cap), if any. */
  readonly cap?: number | null
}

/** What new rows see, and what is kept of them: this run's [B, kvHeads, S, d] (ONNX Runtime), or all with them in place. */
export interface Seen {
  /** [B·S, h·d] */
  readonly mixed: Value
  readonly keys: Value
  readonly values: Value
}

/**
 * q [B, h, S, d] behind kept keys and values, and k and v [B, kvHeads, S, d] that join them.
 *
 * ONNX Runtime: kept and new rows are scored apart, so that the state is never copied, and share one softmax; the
 * heads that share a key/value head are rows of one matrix. TensorRT: the new rows are written in place, and one kernel
 * attends to the rows that count; where scores are capped, which no kernel knows, all is written out.
 * @param options.rows S, where it is known when the graph is built
 */
export function cachedAttention(
  q: Value,
  k: Value,
  v: Value,
  options: CachedSizes & { keys: Value; values: Value; sight: Sight; rows?: number | undefined },
): Seen {
  const { keys, values, sight, heads, kvHeads, width, rows, scale = width ** -0.5, cap = null } = options
  if (sight.target === 'tensorrt') {
    const all = {
      keys: kvCacheUpdate(keys, k, sight.pastLength),
      values: kvCacheUpdate(values, v, sight.pastLength),
    }
    return { mixed: fromHeads(inPlaceAttention(q, all, { ...options, sight, scale, cap }), options), ...all }
  }
  const alpha = cap === null ? scale : scale / cap
  const grouped = heads === kvHeads ? q : reshape(q, [0, kvHeads, -1, width]) // [B, kvHeads, g·S, d]
  const pastScores = fusedMatMul(grouped, keys, { alpha, transB: true }) // [B, kvHeads, g·S, P]
  const newScores = fusedMatMul(grouped, k, { alpha, transB: true }) // [B, kvHeads, g·S, S]
  const scores = concat([pastScores, newScores], 3)
  const weights = softmax(add(cap === null ? scores : mul(tanh(scores), cap), sight.mask))
  const [pastWeights, newWeights] = splitAt(weights, sight.sizes, 2, 3)
  const mixed = add(matMul(pastWeights!, values), matMul(newWeights!, v))
  // With one row each, the heads lie one after another already.
  const ofHeads = heads === kvHeads || rows === 1 ? mixed : reshape(mixed, [0, heads, -1, width])
  return { mixed: fromHeads(ofHeads, options), keys: k, values: v }
}

/** TensorRT's: q [B, h, S, d] to the rows that count of all [B, kvHeads, T, d]; → [B, h, S, d]. */
function inPlaceAttention(
  q: Value,
  { keys, values }: { keys: Value; values: Value },
  {
    sight,
    scale,
    cap,
    ...sizes
  }: CachedSizes & { sight: Extract<Sight, { target: 'tensorrt' }>; scale: number; cap: number | null },
): Value {
  const { lengths, windowed } = sight
  if (cap === null && !windowed) return attention(mul(q, scale), keys, values, { causal: true, lengths })
  const mask = sight.visible(shapeOf(keys, 2, 3))
  if (cap === null) return attention(mul(q, scale), keys, values, { mask, lengths })
  return cappedAttention(mul(q, scale / cap), keys, values, { ...sizes, mask, cap })
}

/** Whether {@link promptAttention} knows heads of this width. */
export const attendsToPrompts = (width: number): boolean => width % 8 === 0

/**
 * Rows of a prompt of one sequence, on ONNX Runtime: S rows [S, h·d] behind those kept, which see these and each other up
 * to themselves. Head after head, so that scores stay in a core's cache: with all heads' in memory, 128 rows behind 384
 * take a third longer (docs/cpu-forms.md). It copies the state, which at one row would cost more than it spares.
 * @param heads q, k and v, or all in one, [S, (h + 2 kvHeads)·d]
 * @param options.window how many rows a row sees, itself among them; all if null
 * @param options.rotary turns q and k, if any
 */
export function promptAttention(
  heads: readonly [Value] | readonly [Value, Value, Value],
  options: CachedSizes & {
    keys: Value
    values: Value
    pastLength: Value
    newRows: Value
    window: number | null
    rotary: RotaryPositions | null
  },
): Seen {
  const { keys, values, pastLength, newRows, window, rotary, ...sizes } = options
  const g = pastLength.graph
  const end = add(pastLength, newRows) // [1]
  const turnsItself = rotary === null || operatorTurns(sizes.width, rotary)
  const [q, k, v] = turnsItself ? heads.map((rows) => unsqueeze(rows, [0])) : turned(heads, rotary, sizes)
  const { mixed, allKeys, allValues } = groupQueryAttention(q!, k && v ? { k, v } : null, {
    ...sizes,
    past: { keys, values },
    lastRow: g.cast(sub(end, g.constant('int64', [1], [1])), 'int32'),
    rows: g.cast(squeeze(end, [0]), 'int32'),
    window,
    rotary: turnsItself ? rotary : null,
  })
  const fresh = (all: Value) => slice(all, 2, pastLength, end)
  return {
    mixed: reshape(mixed, [-1, sizes.heads * sizes.width]),
    keys: fresh(allKeys),
    values: fresh(allValues),
  }
}

/** Whether the operator turns such heads itself. */
const operatorTurns = (width: number, { width: turned = width }: RotaryPositions): boolean =>
  width % 16 === 0 && turned % 16 === 0

/** q, k and v [1, S, h·d], q and k turned. */
function turned(
  rows: readonly Value[],
  rotary: RotaryPositions,
  { heads, kvHeads, width }: CachedSizes,
): Value[] {
  const parts = rows.length === 3 ? rows : apart(rows[0]!, { heads, kvHeads, width })
  const [q, k, v] = parts.map((part) => unsqueeze(part, [0]))
  return [rotated(q!, rotary, heads), rotated(k!, rotary, kvHeads), v!]
}

/** q, k and v in one, [S, (h + 2 kvHeads)·d] → each, as rows. */
export const apart = (rows: Value, { heads, kvHeads, width }: CachedSizes): [Value, Value, Value] =>
  split(rows, [heads * width, kvHeads * width, kvHeads * width], 1) as [Value, Value, Value]

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
