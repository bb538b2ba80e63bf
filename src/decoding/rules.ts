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
