/** Drawing by the likeliest tokens alone, where they decide. */

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

/** The likeliest tokens of a row, the likeliest first; of equally likely ones the lower id. */
export interface Ranked {
  readonly ids: readonly number[]
  /** exp((logit - largest) / temperature). */
  readonly weights: readonly number[]
  /** Whether no other token comes before the last of them. */
  readonly isSettled: boolean
}

/**
 * How far, relative to it, a sum must be from a border to decide: well above what two ways of summing differ by, which is
 * at most a row's length times 2^-53.
 */
const margin = 1e-9

/**
 * The token at which the running sum of the probabilities that are left by topK and topP passes `uniform`, the likeliest
 * first; undefined where not every sum of all weights within the bounds gives the same one of these.
 */
export function drawFromRanked(
  { ids, weights, isSettled }: Ranked,
  all: Bounds,
  { topP, topK = Infinity }: DrawOptions,
  uniform: number,
): number | undefined {
  const sums: number[] = []
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight)
  const upTo = (count: number): Bounds => ({ least: sums[count - 1]!, most: sums[count - 1]! })

  let kept = Math.min(topK, sums.length)
  let total = topK > sums.length ? { ...all, ...(topK < Infinity && { least: sums.at(-1)! }) } : upTo(kept)
  if (topP < 1) {
    const last = decided(total, topP, (target) => sums.findIndex((sum) => sum >= target))
    if (last === undefined || last >= kept) return undefined
    kept = last + 1
    total = upTo(kept)
  }
  const drawn = decided(total, uniform, (target) => sums.findIndex((sum) => sum > target))
  if (drawn === undefined || drawn >= kept) return undefined
  return weights[drawn]! > weights.at(-1)! || isSettled ? ids[drawn] : undefined
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
