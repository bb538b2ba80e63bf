/**
 * Choosing from the largest logits of a row, where they decide: what is chosen is what the whole row would give with the
 * same random number, or nothing, and the row has to be asked for.
 */
import type { DrawOptions } from './row.js'

/** The largest logits of a row, the largest first, and ln Σ exp of the whole row in single precision. */
export interface TopScores {
  readonly ids: ArrayLike<number>
  readonly logits: Float32Array
  readonly logSumExp: number
}

/** The id of the largest logit, of equal ones the lowest; undefined where equal ones may be beyond those here. */
export function bestOfTop({ ids, logits }: TopScores, rowLength: number): number | undefined {
  const equal = logits.findIndex((logit) => logit !== logits[0])
  if (equal < 0 && logits.length < rowLength) return undefined
  let best = ids[0]!
  for (let i = 1; i < (equal < 0 ? logits.length : equal); i++) best = Math.min(best, ids[i]!)
  return best
}

/**
 * How far, relative to it, a sum must be from a border to decide: well above what the two ways of summing differ by,
 * which is at most a row's length times 2^-53.
 */
const margin = 1e-9

/**
 * As drawFromRow, from the largest logits alone. What the others add to the sum of all weights is known between bounds;
 * the token is given where every value between them gives the same one.
 */
export function drawFromTop(
  top: TopScores,
  rowLength: number,
  { temperature, topP, topK }: DrawOptions,
  uniform: number,
): number | undefined {
  const { logits, ids } = top
  const weights = Float64Array.from(logits, (logit) => Math.exp(-((logits[0]! - logit) * (1 / temperature))))
  const ranked = [...weights.keys()].sort(
    (one, other) => weights[other]! - weights[one]! || ids[one]! - ids[other]!,
  )
  const sums: number[] = []
  for (const i of ranked) sums.push((sums.at(-1) ?? 0) + weights[i]!)

  let kept = sums.length
  let total: Bounds
  if (topK !== undefined && topK <= kept) {
    kept = topK
    total = { least: sums[kept - 1]!, most: sums[kept - 1]! }
  } else {
    const rest = restBounds(top, rowLength, 1 / temperature)
    total = {
      least: sums[kept - 1]! + (topK === undefined ? rest.least : 0),
      most: sums[kept - 1]! + rest.most,
    }
  }
  if (topP < 1) {
    const last = decided(total, topP, (target) => sums.findIndex((sum) => sum >= target))
    if (last === undefined || last >= kept) return undefined
    kept = last + 1
    total = { least: sums[last]!, most: sums[last]! }
  }
  const drawn = decided(total, uniform, (target) => sums.findIndex((sum) => sum > target))
  if (drawn === undefined || drawn >= kept) return undefined
  // Tokens beyond those here may be as likely as the last of them, and come before it.
  const last = weights[ranked.at(-1)!]!
  return weights[ranked[drawn]!]! > last || logits.length >= rowLength ? ids[ranked[drawn]!] : undefined
}

interface Bounds {
  readonly least: number
  readonly most: number
}

/** What `find` gives for this share of the total, if it is the same for every total within the bounds, and there. */
function decided(
  { least, most }: Bounds,
  share: number,
  find: (target: number) => number,
): number | undefined {
  const from = find(share * least * (1 - margin))
  const to = find(share * most * (1 + margin))
  return from === to && from >= 0 ? from : undefined
}

/**
 * Bounds of Σ exp(scale · (logit - largest)) over the logits that are not among the largest. With x = exp(logit -
 * largest), Σ x is known from logSumExp and no x is larger than the least of those here: for a scale above 1, Σ x^scale
 * is largest where the x are as large as they can be, and least where all are equal (Jensen); below 1 the other way
 * round.
 */
function restBounds({ logits, logSumExp }: TopScores, rowLength: number, scale: number): Bounds {
  const count = rowLength - logits.length
  const largest = Math.exp(logits.at(-1)! - logits[0]!)
  if (count <= 0 || largest === 0) return { least: 0, most: 0 }
  // The engine's own rounding: of a sum in single precision, and of the result, whose unit in the last place grows with it.
  const doubt = 1e-4 + Math.abs(logSumExp) * 2 ** -22
  const here = logits.reduce((sum, logit) => sum + Math.exp(logit - logits[0]!), 0)
  const sum = {
    least: Math.max(0, Math.exp(logSumExp - logits[0]! - doubt) - here),
    most: Math.min(Math.max(0, Math.exp(logSumExp - logits[0]! + doubt) - here), count * largest),
  }
  const even = (x: number) => count * (x / count) ** scale
  const uneven = (x: number) => x * largest ** (scale - 1)
  if (scale >= 1) return { least: even(sum.least), most: uneven(sum.most) }
  return { least: uneven(sum.least), most: even(sum.most) }
}
