/** Drawing one of some tokens that are the likeliest of a row, where they decide. */
import type { Candidates, Likeliest } from './candidates.js'

export interface DrawOptions {
  /** > 0. */
  readonly temperature: number
  /** 0..1: draw from the fewest most probable tokens whose probabilities reach this sum (at least one); 1: from all. */
  readonly topP: number
  /** ≥ 1: draw from this many most probable tokens. Applied before topP, which then sees their renormalised probabilities. */
  readonly topK?: number | undefined
}

export interface Bounds {
  readonly least: number
  readonly most: number
}

/**
 * How far, relative to it, a sum must be from a border to decide: well above what two ways of summing differ by, which is
 * at most a row's length times 2^-53.
 */
const MARGIN = 1e-9

/**
 * The place of the token at which the running sum of the probabilities that are left by topK and topP passes `uniform`,
 * in the order of the ranks; undefined where the tokens that are no candidates may decide.
 * @param candidates the likeliest tokens of a row
 * @param all bounds of the sum of all weights of the row
 */
export function placeAmong(
  candidates: Candidates,
  all: Bounds,
  { topP, topK = Infinity }: DrawOptions,
  uniform: number,
): number | undefined {
  let kept: { count: number } = candidates
  let total = all
  const cutAt = (found: Likeliest) => {
    kept = found
    total = { least: found.sum, most: found.sum }
  }
  if (topK <= candidates.count) cutAt(candidates.likeliest(candidates.count, (count) => count >= topK))
  else if (topK < Infinity) total = { least: candidates.sum, most: all.most }
  if (topP < 1) {
    const found = decided(candidates, kept.count, total, (sum, total) => sum >= topP * total)
    if (!found) return undefined
    cutAt(found)
  }
  const found = decided(candidates, kept.count, total, (sum, total) => sum > uniform * total)
  return found && found.count - 1
}

/** The likeliest that are enough of the total, if these are the same for every total within the bounds. */
function decided(
  candidates: Candidates,
  among: number,
  { least, most }: Bounds,
  isEnough: (sum: number, total: number) => boolean,
): Likeliest | undefined {
  const found = candidates.likeliest(among, (_, sum) => isEnough(sum, least * (1 - MARGIN)))
  const last = candidates.weight(found.count - 1)
  // The next fewer are not enough even of the least total, then.
  return found.isEnough && isEnough(found.sum, most * (1 + MARGIN)) && last > 0 ? found : undefined
}
