/** Edits logits in place before the choice. `tokens` = those chosen so far (without the prompt). */
export type LogitRule = (logits: Float32Array, tokens: readonly number[]) => void

/** Never chooses these ids. */
export function suppress(ids: readonly number[]): LogitRule {
  return (logits) => {
    for (const id of ids) logits[id] = -Infinity
  }
}

/** Does not choose these ids as the first token. */
export function suppressAtStart(ids: readonly number[]): LogitRule {
  const rule = suppress(ids)
  return (logits, tokens) => {
    if (tokens.length === 0) rule(logits, tokens)
  }
}

/**
 * Makes every token that the prompt or the reply already has less likely, once however often it occurs: a positive
 * logit is divided by the penalty, a negative one multiplied (Keskar et al. 2019, CTRL, in the form of Hugging Face's
 * RepetitionPenaltyLogitsProcessor). 1 changes nothing; RangeError unless > 0.
 */
export function repetitionPenalty(penalty: number, prompt: readonly number[]): LogitRule {
  if (!(penalty > 0 && penalty < Infinity))
    throw new RangeError(`penalty must be a number > 0, not ${penalty}`)
  const inPrompt = new Set(prompt)
  return (logits, tokens) => {
    const apply = (id: number) => {
      const logit = logits[id]
      if (logit !== undefined) logits[id] = logit < 0 ? logit * penalty : logit / penalty
    }
    inPrompt.forEach(apply)
    for (const id of new Set(tokens)) if (!inPrompt.has(id)) apply(id)
  }
}
