/** Chooses the tokens of one reply. */
import { largest } from '../../decoding/largest.js'
import { Penalties, type PenaltyOptions } from '../../decoding/penalties.js'
import { logSumExp, Sampler, type SamplingOptions } from '../../decoding/sampler.js'
import type { Scores } from './work.js'

export interface ChoosingOptions extends SamplingOptions, PenaltyOptions {
  /** Added to the logits of tokens. */
  readonly bias: readonly (readonly [token: number, value: number])[]
  /** How many of the likeliest tokens are told with every one; undefined: nothing is told. */
  readonly topLogprobs?: number | undefined
}

/** Natural logarithm of a token's probability. */
export interface Likelihood {
  readonly token: number
  readonly logprob: number
}

export interface Chosen extends Likelihood {
  readonly top: readonly Likelihood[]
}

export class TokenChooser {
  /** Whether the largest logits will never do. */
  readonly needsRow: boolean
  readonly #options: ChoosingOptions
  readonly #penalties: Penalties
  readonly #sampler: Sampler
  readonly #vocabulary: number

  /** @param vocabulary length of a whole row of logits */
  constructor(options: ChoosingOptions, prompt: readonly number[], vocabulary: number) {
    this.#options = options
    this.#penalties = new Penalties(options, prompt)
    this.#sampler = new Sampler(options)
    this.#vocabulary = vocabulary
    this.needsRow = this.#penalties.active || options.bias.length > 0 || options.topLogprobs !== undefined
  }

  /**
   * The next token; undefined where the whole row has to be asked for. How likely it was is by the whole softmax of
   * what the network gives, before penalties, bias, mask and temperature.
   * @param mask forbids tokens, by a logit of −Infinity, as the last before the choice
   */
  choose(
    scores: Scores,
    mask?: (logits: Float32Array) => void,
  ): { token: number; told?: Chosen } | undefined {
    if (scores.kind === 'top') {
      if (this.needsRow || mask) return undefined
      const token = this.#sampler.fromTop(scores, this.#vocabulary)
      return token === undefined ? undefined : { token }
    }
    const { logits } = scores
    const { bias } = this.#options
    const isEdited = this.#penalties.active || bias.length > 0 || mask !== undefined
    const tell = this.#teller(logits, isEdited)
    this.#penalties.apply(logits)
    for (const [token, value] of bias) logits[token]! += value
    mask?.(logits)
    const token = this.#sampler.fromRow(logits)
    this.#penalties.take(token)
    return tell ? { token, told: tell(token) } : { token }
  }

  /** Tells of a token by the row as it is now, even if it is edited afterwards. */
  #teller(logits: Float32Array, isEdited: boolean): ((token: number) => Chosen) | undefined {
    const { topLogprobs } = this.#options
    if (topLogprobs === undefined) return undefined
    const row = isEdited ? logits.slice() : logits
    const total = logSumExp(row)
    const likelihood = (token: number) => ({ token, logprob: row[token]! - total })
    return (token) => ({ ...likelihood(token), top: largest(row, topLogprobs).map(likelihood) })
  }
}
