/**
 * Choosing from the largest logits of a row, where they decide: what is chosen is what the whole row would give with the
 * same random number, or nothing, and the row has to be asked for.
 */
import { Candidates } from './candidates.js'
import { type Bounds, type DrawOptions, placeAmong } from './draw.js'
import { expOfMinus } from './exp.js'

const candidates = new Candidates()

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
 * As drawFromRow, from the largest logits alone. What the others add to the sum of all weights is known between bounds;
 * the token is given where every value between them gives the same one.
 */
export function drawFromTop(
  top: TopScores,
  rowLength: number,
  options: DrawOptions,
  uniform: number,
): number | undefined {
  const { logits, ids } = top
  const scale = 1 / options.temperature
  candidates.clear(logits.length)
  for (let i = 0; i < logits.length; i++)
    candidates.push(ids[i]!, expOfMinus((logits[0]! - logits[i]!) * scale))
  const here = candidates.sum
  const rest = restBounds(top, rowLength, scale)
  const place = placeAmong(candidates, { least: here + rest.least, most: here + rest.most }, options, uniform)
  if (place === undefined) return undefined
  // Tokens beyond these may be as likely as the last of them, and have lower ids.
  const last = expOfMinus((logits[0]! - logits.at(-1)!) * scale)
  return logits.length >= rowLength || candidates.weight(place) > last ? candidates.id(place) : undefined
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
