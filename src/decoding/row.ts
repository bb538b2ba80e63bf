/**
 * Drawing from a whole row of logits. A weight is exp((logit - largest) / temperature). Mostly those near the largest
 * decide, and a rough sum of the others; else all are weighed.
 */
import { drawFromBins } from './bins.js'
import { Candidates } from './candidates.js'
import { type Bounds, type DrawOptions, placeAmong } from './draw.js'
import { expOfMinus } from './exp.js'

/** How far below the largest a token is near it, in units of the temperature: where a model is sure, few are. */
const NEAR = 9
/** Up to so many, to search them costs less than to bin all. */
const FEW = 4096

const candidates = new Candidates()

/**
 * The token at which the running sum of the probabilities that are left by topK and topP passes `uniform`, in the order
 * of the probabilities, the largest first; of equal ones the lower id first.
 * @param best the id of the largest logit, which is finite
 * @param uniform in [0, 1)
 */
export function drawFromRow(
  logits: Float32Array,
  best: number,
  options: DrawOptions,
  uniform: number,
): number {
  const [top, scale] = [logits[best]!, 1 / options.temperature]
  const others = weighNear(logits, top, scale)
  if (!others) return drawFromBins(logits, best, options, uniform)
  const near = candidates.sum
  const all = { least: near + others.least, most: near + others.most }
  const place = placeAmong(candidates, all, options, uniform)
  return place === undefined ? drawFromBins(logits, best, options, uniform) : candidates.id(place)
}

/** Steps of the table per factor e. */
const STEPS = 32
/** exp(-i / STEPS), past what most logits come to, and what the next step changes it by. */
const coarse = Float64Array.from({ length: 128 * STEPS }, (_, i) => Math.exp(-i / STEPS))
const slopes = coarse.map((value, i) => (coarse[i + 1] ?? value) - value)
const nearIds = new Int32Array(FEW)

/**
 * Makes what is near the largest the candidates; undefined where that is too many. @returns bounds of the sum of all
 * other weights: between the points of the table exp is below its chord, by at most 1/8 of the square of their distance.
 */
function weighNear(logits: Float32Array, top: number, scale: number): Bounds | undefined {
  const [steps, end] = [scale * STEPS, coarse.length]
  let count = 0
  let sum = 0
  for (let id = 0; id < logits.length; id++) {
    const at = (top - logits[id]!) * steps
    if (at <= NEAR * STEPS) {
      if (count === FEW) return undefined
      nearIds[count++] = id
    } else if (at < end) {
      const i = at | 0
      sum += coarse[i]! + (at - i) * slopes[i]!
    }
  }
  candidates.clear(FEW)
  for (let i = 0; i < count; i++) {
    const id = nearIds[i]!
    candidates.push(id, expOfMinus((top - logits[id]!) * scale))
  }
  return { least: sum * (1 - STEPS ** -2 / 8), most: sum + logits.length * coarse[end - 1]! }
}
