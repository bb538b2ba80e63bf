/** The decode loop: knows `step` and `select`, not engines. */
export interface DecodeOptions {
  /** Feeds a chosen token at its position; gives the logits of the one after it. */
  step: (token: number, position: number) => Promise<Float32Array>
  /** Chooses from the logits (and may edit them); `tokens` = those chosen so far, without the prompt. */
  select: (logits: Float32Array, tokens: readonly number[]) => number
  stopTokens: ReadonlySet<number>
  /** ≥ 0; a reply of this length ends with 'length', whatever would have come next. */
  maxTokens: number
  /** Read before every choice and every step: its reason is thrown. */
  signal?: AbortSignal
}

/**
 * Yields each chosen token but the stop token, before the step that the next one needs; no step is taken for a token
 * that nothing follows. `first`: the logits after the prompt; `position`: that of the first chosen token, which is the
 * length of the prompt.
 */
export async function* decode(
  first: Float32Array,
  position: number,
  options: DecodeOptions,
): AsyncGenerator<{ token: number }, { reason: 'stop' | 'length'; tokens: number[] }> {
  const { step, select, stopTokens, maxTokens, signal } = options
  const tokens: number[] = []
  for (let logits = first; tokens.length < maxTokens; ) {
    signal?.throwIfAborted()
    const token = select(logits, tokens)
    if (stopTokens.has(token)) return { reason: 'stop', tokens }
    tokens.push(token)
    yield { token }
    if (tokens.length === maxTokens) break
    signal?.throwIfAborted()
    logits = await step(token, position + tokens.length - 1)
  }
  return { reason: 'length', tokens }
}
