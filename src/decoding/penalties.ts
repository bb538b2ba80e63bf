/** What makes tokens that a text already has less likely. */

export interface PenaltyOptions {
  /** OpenAI's frequency_penalty: subtracted once for every time that the reply has the token. */
  readonly frequency: number
  /** OpenAI's presence_penalty: subtracted once if the reply has the token. */
  readonly presence: number
  /**
   * > 0; 1 changes nothing. Counts the prompt, too, once however often it has the token: a positive logit is divided by
   * the penalty, a negative one multiplied (Keskar et al. 2019, CTRL, in the form of Hugging Face's
   * RepetitionPenaltyLogitsProcessor).
   */
  readonly repetition: number
}

/**
 * The penalties of one reply: logit - frequency · count - presence · (count > 0), where count is how often the reply so
 * far has the token (OpenAI, "Frequency and presence penalties"), after the repetition penalty.
 */
export class Penalties {
  readonly #options: PenaltyOptions
  readonly #inPrompt: ReadonlySet<number>
  readonly #counts = new Map<number, number>()
  /** Whether they change anything at all. */
  readonly active: boolean

  constructor(options: PenaltyOptions, prompt: readonly number[]) {
    const { frequency, presence, repetition } = options
    if (!(repetition > 0 && repetition < Infinity))
      throw new RangeError(`the repetition penalty must be a number > 0, not ${repetition}`)
    this.active = frequency !== 0 || presence !== 0 || repetition !== 1
    this.#options = options
    this.#inPrompt = new Set(repetition === 1 ? [] : prompt)
  }

  /** Edits the logits of the next token. */
  apply(logits: Float32Array): void {
    const { frequency, presence, repetition } = this.#options
    const repeat = (id: number) => {
      const logit = logits[id]
      if (logit !== undefined) logits[id] = logit < 0 ? logit * repetition : logit / repetition
    }
    if (repetition !== 1) {
      for (const id of this.#inPrompt) repeat(id)
      for (const id of this.#counts.keys()) if (!this.#inPrompt.has(id)) repeat(id)
    }
    if (frequency === 0 && presence === 0) return
    for (const [id, count] of this.#counts) logits[id]! -= frequency * count + presence
  }

  /** The reply has one more token. */
  take(token: number): void {
    if (this.active) this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1)
  }
}
