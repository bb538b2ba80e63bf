/** Choosing a token from a row of logits. NaN anywhere is refused, and so is a row in which nothing is allowed. */
import type { DrawOptions } from './draw.js'
import { expOfMinus } from './exp.js'
import { drawFromRow } from './row.js'
import { bestOfTop, drawFromTop, type TopScores } from './top.js'

export interface SamplingOptions extends Omit<DrawOptions, 'temperature'> {
  /** ≥ 0; 0 chooses the largest logit. */
  readonly temperature: number
  /** Uniform in [0, 1); called once per drawn token. */
  readonly random: () => number
}

/** Whether nothing but the largest logit can be chosen, so that nothing is drawn. */
export const isGreedy = ({ temperature, topP, topK }: Omit<SamplingOptions, 'random'>): boolean =>
  // 1 / temperature overflows only where nothing but the largest logit could be drawn.
  1 / temperature === Infinity || topP === 0 || topK === 1

/**
 * A chooser over the full vocabulary, exact: softmax(logits / temperature), cut by topK, then by topP, then one draw.
 * Of equally probable tokens at a cut, the lower ids stay.
 */
export class Sampler {
  readonly #options: SamplingOptions
  readonly #greedy: boolean
  /** Drawn for a token that the largest logits did not decide. */
  #uniform: number | undefined

  /** @throws RangeError for options out of range */
  constructor(options: SamplingOptions) {
    const { temperature, topP, topK } = options
    if (!(temperature >= 0 && temperature < Infinity)) {
      throw new RangeError(`temperature must be a number ≥ 0, not ${temperature}`)
    }
    if (!(topP >= 0 && topP <= 1)) throw new RangeError(`topP must be in 0..1, not ${topP}`)
    if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
      throw new RangeError(`topK must be an integer ≥ 1, not ${topK}`)
    }
    this.#options = options
    this.#greedy = isGreedy(options)
  }

  fromRow(logits: Float32Array): number {
    const best = argmax(logits)
    if (this.#greedy || logits[best] === Infinity) return best
    return drawFromRow(logits, best, this.#options, this.#once())
  }

  /**
   * What the whole row of `rowLength` logits would give; undefined where it has to be asked for: `fromRow` is then to be
   * the next call, and draws with the same random number.
   */
  fromTop(top: TopScores, rowLength: number): number | undefined {
    const [best] = top.logits
    if (best === undefined || Number.isNaN(best) || Number.isNaN(top.logSumExp))
      throw new Error('the largest logit is not a number')
    if (best === -Infinity) throw new Error('no token is allowed: every logit is -Infinity')
    if (this.#greedy || best === Infinity) return bestOfTop(top, rowLength)
    this.#uniform = this.#once()
    const token = drawFromTop(top, rowLength, this.#options, this.#uniform)
    if (token !== undefined) this.#uniform = undefined
    return token
  }

  /** The random number of the token that is being drawn. */
  #once(): number {
    const uniform = this.#uniform ?? this.#options.random()
    this.#uniform = undefined
    return uniform
  }
}

/** The id of the largest logit; of equal ones the lowest. */
export function argmax(logits: Float32Array): number {
  let best = -1
  let top = -Infinity
  // Four at a time take a third of the time. Beyond the end nothing is ≤ anything, as NaN.
  for (let from = 0; from < logits.length; from += 4) {
    if (
      logits[from]! <= top &&
      logits[from + 1]! <= top &&
      logits[from + 2]! <= top &&
      logits[from + 3]! <= top
    )
      continue
    for (let id = from; id < Math.min(from + 4, logits.length); id++) {
      const logit = logits[id]!
      if (logit <= top) continue
      if (Number.isNaN(logit)) throw new Error(`the logit of token ${id} is not a number`)
      top = logit
      best = id
    }
  }
  if (best < 0) throw new Error('no token is allowed: every logit is -Infinity')
  return best
}

/** log(sum(exp(logits[from..to)))), safe from overflow; -Infinity for an empty or wholly suppressed range. */
export function logSumExp(logits: Float32Array, from = 0, to = logits.length): number {
  let top = -Infinity
  for (let id = from; id < to; id++) if (logits[id]! > top) top = logits[id]!
  if (top === Infinity) return top
  if (top === -Infinity) return logits.subarray(from, to).some(Number.isNaN) ? Number.NaN : top
  let total = 0
  for (let id = from; id < to; id++) total += expOfMinus(top - logits[id]!)
  return top + Math.log(total)
}

/** The natural log of the probability of `id` under softmax(logits). */
export function logSoftmaxAt(logits: Float32Array, id: number): number {
  return logits[id]! - logSumExp(logits)
}
