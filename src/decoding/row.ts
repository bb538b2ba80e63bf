/**
 * Drawing from a whole row of logits. A weight is exp((logit - largest) / temperature); the tokens are binned by its
 * logarithm, in equal steps from the largest weight down, so that only the tokens of the bins into which a cut or the
 * draw falls have to be sorted.
 */

export interface DrawOptions {
  /** > 0. */
  readonly temperature: number
  /** 0..1: draw from the fewest most probable tokens whose probabilities reach this sum (at least one); 1: from all. */
  readonly topP: number
  /** ≥ 1: draw from this many most probable tokens. Applied before topP, which then sees their renormalised probabilities. */
  readonly topK?: number | undefined
}

/**
 * The token at which the running sum of the probabilities that are left by topK and topP passes `uniform`, in the order
 * of the probabilities, the largest first; of equal ones the lower id first.
 * @param best the id of the largest logit, which is finite
 * @param uniform in [0, 1)
 */
export class RowDraw {
  #weights = new Float64Array(0)
  #binOf = new Uint16Array(0)
  /** Sums of the weights in each bin. */
  readonly #masses = new Float64Array(bins)
  /** The last bin whose tokens are still in. */
  #last = bins - 1

  draw(logits: Float32Array, best: number, options: DrawOptions, uniform: number): number {
    this.#weigh(logits, best, options.temperature)
    if (options.topK !== undefined) this.#cut(this.#counts(), options.topK, () => 1)
    if (options.topP < 1) this.#cut(this.#masses, options.topP * this.#total(), (weight) => weight)
    return this.#pick(uniform * this.#total())
  }

  #weigh(logits: Float32Array, best: number, temperature: number): void {
    if (this.#weights.length !== logits.length) {
      this.#weights = new Float64Array(logits.length)
      this.#binOf = new Uint16Array(logits.length)
    }
    const [weights, binOf, masses] = [this.#weights, this.#binOf, this.#masses]
    const top = logits[best]!
    const scale = 1 / temperature
    masses.fill(0)
    this.#last = bins - 1
    for (let id = 0; id < logits.length; id++) {
      const below = (top - logits[id]!) * scale
      const weight = Math.exp(-below)
      const bin = Math.min(bins - 1, Math.trunc(below * binsPerE))
      weights[id] = weight
      binOf[id] = bin
      masses[bin]! += weight
    }
  }

  #counts(): Float64Array {
    const counts = new Float64Array(bins)
    for (const bin of this.#binOf) counts[bin]! += 1
    return counts
  }

  /** Leaves in the fewest largest weights whose measures (`totals`: those of the bins) reach the target. */
  #cut(totals: Float64Array, target: number, measure: (weight: number) => number): void {
    let reached = 0
    let last = 0
    while (last < this.#last && reached + totals[last]! < target) reached += totals[last++]!
    this.#last = last
    for (const id of this.#ranked(last)) {
      const weight = this.#weights[id]!
      if (reached < target) {
        reached += measure(weight)
      } else {
        this.#weights[id] = 0
        this.#masses[last]! -= weight
      }
    }
  }

  #total(): number {
    let sum = 0
    for (let bin = 0; bin <= this.#last; bin++) sum += this.#masses[bin]!
    return sum
  }

  /** The token at which the running sum passes the target; the last of all if rounding prevents it. */
  #pick(target: number): number {
    let [bin, reached, mass] = [0, 0, 0]
    for (let next = 0; next <= this.#last; next++) {
      if (this.#masses[next]! <= 0) continue
      bin = next
      reached += mass
      mass = this.#masses[next]!
      if (reached + mass > target) break
    }
    let drawn = 0
    for (const id of this.#ranked(bin)) {
      drawn = id
      reached += this.#weights[id]!
      if (reached > target) break
    }
    return drawn
  }

  /** The tokens of a bin that are in, the likeliest first; of equal ones the lower id first. */
  #ranked(bin: number): number[] {
    const weights = this.#weights
    const ids: number[] = []
    const binOf = this.#binOf
    for (let id = 0; id < binOf.length; id++) if (binOf[id] === bin && weights[id] !== 0) ids.push(id)
    return ids.sort((one, other) => weights[other]! - weights[one]!) // stable
  }
}

const bins = 2048
/** The last bin has everything less likely than the best token by exp(-32) and more. */
const binsPerE = bins / 32
