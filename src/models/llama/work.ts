/** What the scheduler is asked for, and what it asks: tokens and their scores; it knows no text. */

/** The logits behind a sequence's last token. */
export type Scores =
  /** The largest, largest first, and ln Σ exp of all. */
  | {
      readonly kind: 'top'
      readonly ids: ArrayLike<number>
      readonly logits: Float32Array
      readonly logSumExp: number
    }
  /** All, by token; the taker may edit them. */
  | { readonly kind: 'row'; readonly logits: Float32Array }

/** What becomes of a reply: it wants to see the whole row first, goes on with a token, or is complete. */
export type Choice =
  | { readonly kind: 'row' }
  | { readonly kind: 'token'; readonly token: number }
  | { readonly kind: 'end' }

/** One reply of a request, as the scheduler sees it. */
export interface Reply {
  /** Whether the top scores will never do (grammar, bias, penalties …): the whole row is asked for at once. */
  readonly needsRow: boolean
  /**
   * Chooses and takes the next token. Called between steps: must be quick. What it throws ends the whole request.
   * Where it ends with a token that nothing follows, it says so at once instead of giving the token.
   */
  next(scores: Scores): Choice
}

export interface Work {
  readonly prompt: readonly number[]
  /** Replies to the one prompt, which is computed once. */
  readonly replies: readonly Reply[]
  /** The most tokens of each reply, which the replies keep to themselves; with the prompt's no more than the context. */
  readonly maxTokens: number
  /**
   * Whether nothing of the numbers may depend on what else is or was there (a seed was given). Kernels round by how many
   * rows a run has: only rows that were computed in the same pieces as they would be alone are then taken from others.
   */
  readonly reproducible?: boolean
  readonly signal: AbortSignal
  /** The prompt is in; `cached` tokens of it were not computed. */
  started(cached: number): void
}
