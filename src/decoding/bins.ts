/**
 * Drawing from a whole row of logits by the weights of all. The tokens are binned by the logarithm of their weights, in
 * equal steps from the largest down, so that only those of the bins into which a cut or the draw falls have to be sorted.
 */
import type { DrawOptions } from './draw.js'
import { expOfMinus } from './exp.js'

const bins = 2048
/** The last bin has everything less likely than the best token by exp(-32) and more. */
const binsPerE = bins / 32

/** Which bin has the weight exp(-below). */
const binOf = (below: number): number => (below * binsPerE < bins - 1 ? (below * binsPerE) | 0 : bins - 1)

/** As drawFromRow, whatever decides. */
export function drawFromBins(
  logits: Float32Array,
  best: number,
  { temperature, topP, topK = Infinity }: DrawOptions,
  uniform: number,
): number {
  const row = new BinnedRow(logits, logits[best]!, 1 / temperature)
  if (topK < logits.length) row.cut(row.counts(), topK, () => 1)
  if (topP < 1) row.cut(row.masses, topP * row.total(), (weight) => weight)
  return row.pick(uniform * row.total())
}

class BinnedRow {
  /** Sums of the weights in each bin. */
  readonly masses = new Float64Array(bins)
  /** The last bin whose tokens are in, and which of them, the likeliest first; undefined: all. */
  #last = bins - 1
  #lastTokens: readonly number[] | undefined

  constructor(
    private readonly logits: Float32Array,
    private readonly top: number,
    private readonly scale: number,
  ) {
    const { masses } = this
    // Most tokens fall into the last bin: its sum is kept out of memory, which would be waited for.
    let rest = 0
    for (let id = 0; id < logits.length; id++) {
      const below = (top - logits[id]!) * scale
      const weight = expOfMinus(below)
      const bin = binOf(below)
      if (bin === bins - 1) rest += weight
      else masses[bin]! += weight
    }
    masses[bins - 1] = rest
  }

  counts(): Float64Array {
    const counts = new Float64Array(bins)
    const { logits, top, scale } = this
    for (let id = 0; id < logits.length; id++) counts[binOf((top - logits[id]!) * scale)]! += 1
    return counts
  }

  /** Leaves in the fewest largest weights whose measures (`totals`: those of the bins) reach the target. */
  cut(totals: Float64Array, target: number, measure: (weight: number) => number): void {
    let reached = 0
    let last = 0
    while (last < this.#last && reached + totals[last]! < target) reached += totals[last++]!
    const kept: number[] = []
    let mass = 0
    for (const id of this.#tokens(last)) {
      if (reached >= target) break
      const weight = this.#weight(id)
      reached += measure(weight)
      mass += weight
      kept.push(id)
    }
    this.#last = last
    this.#lastTokens = kept
    this.masses[last] = mass
  }

  total(): number {
    let sum = 0
    for (let bin = 0; bin <= this.#last; bin++) sum += this.masses[bin]!
    return sum
  }

  /** The token at which the running sum passes the target; the last of all if rounding prevents it. */
  pick(target: number): number {
    let [bin, reached, mass] = [0, 0, 0]
    for (let next = 0; next <= this.#last; next++) {
      if (this.masses[next] === 0) continue
      bin = next
      reached += mass
      mass = this.masses[next]!
      if (reached + mass > target) break
    }
    let drawn = 0
    for (const id of this.#tokens(bin)) {
      drawn = id
      reached += this.#weight(id)
      if (reached > target) break
    }
    return drawn
  }

  #weight(id: number): number {
    return expOfMinus((this.top - this.logits[id]!) * this.scale)
  }

  /** The tokens of a bin that are in, the likeliest first; of equal ones the lower id first. */
  #tokens(bin: number): readonly number[] {
    if (bin === this.#last && this.#lastTokens) return this.#lastTokens
    const { logits, top, scale } = this
    // Most tokens are far below: one comparison is enough for them. The bin before allows for rounding.
    const lowest = bin === bins - 1 ? -Infinity : top - (bin + 2) / binsPerE / scale
    const ids: number[] = []
    for (let id = 0; id < logits.length; id++)
      if (logits[id]! >= lowest && binOf((top - logits[id]!) * scale) === bin) ids.push(id)
    const weights = ids.map((id) => this.#weight(id))
    return [...ids.keys()]
      .filter((i) => weights[i] !== 0)
      .sort((one, other) => weights[other]! - weights[one]!) // stable
      .map((i) => ids[i]!)
  }
}
