/** SentencePiece's scores → the merges of a BPE. */

/**
 * The pairs of tokens that make up a token, best score first. SentencePiece joins the neighbours whose union has the
 * best score; as a list of merges this is transformers' form of it (`generate_merges`): by score, the longer left half
 * first, then the longer right half, then in order of their ids.
 * @param mergeable whether the token of an id is made of others: not a byte, nor a special or given one
 */
export function scoredMerges(
  tokens: readonly string[],
  scores: readonly number[],
  mergeable: (id: number) => boolean,
): [left: string, right: string][] {
  const idOf = new Map<string, number>()
  for (const [id, token] of tokens.entries()) if (mergeable(id)) idOf.set(token, id)
  const merges: Merge[] = []
  for (const [token, id] of idOf) {
    const characters = [...token]
    let left = ''
    for (const [i, character] of characters.slice(0, -1).entries()) {
      left += character
      const right = token.slice(left.length)
      if (!idOf.has(left) || !idOf.has(right)) continue
      merges.push({ left, right, score: scores[id] ?? 0, lengths: [i + 1, characters.length - i - 1] })
    }
  }
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1])
  return merges.map(({ left, right }) => [left, right])
}

interface Merge {
  readonly left: string
  readonly right: string
  readonly score: number
  /** In characters. */
  readonly lengths: readonly [left: number, right: number]
}
