/** SentencePiece's scores → the merges of a BPE. */

/** The sum of the squares of the tokens' lengths, which is the time it takes; large vocabularies have 20 million. */
const MOST_WORK = 2 ** 28
/** Four times as many as the largest vocabularies have. */
const MOST_MERGES = 2 ** 21

/**
 * The pairs of tokens that make up a token, best score first. SentencePiece joins the neighbours whose union has the
 * best score; as a list of merges this is transformers' form of it (`generate_merges`): by score, the longer left half
 * first, then the longer right half, then in order of their ids.
 * @param mergeable whether the token of an id is made of others: not a byte, nor a special or given one
 * @param fault makes the error for tokens that are longer, or more alike, than those of any vocabulary
 */
export function scoredMerges(
  tokens: readonly string[],
  scores: readonly number[],
  mergeable: (id: number) => boolean,
  fault: (what: string) => Error,
): [left: string, right: string][] {
  const idOf = new Map<string, number>()
  let work = 0
  for (const [id, token] of tokens.entries()) {
    if (!mergeable(id)) continue
    work += token.length ** 2
    if (work > MOST_WORK)
      throw fault(`has longer tokens than any vocabulary, such as one of ${token.length} letters`)
    idOf.set(token, id)
  }
  const merges: Merge[] = []
  for (const [token, id] of idOf) {
    const characters = [...token]
    let at = 0
    for (const [i, character] of characters.slice(0, -1).entries()) {
      at += character.length
      // The tokens themselves, so that no part of one is kept.
      const left = tokens[idOf.get(token.slice(0, at)) ?? -1]
      if (left === undefined) continue
      const right = tokens[idOf.get(token.slice(at)) ?? -1]
      if (right === undefined) continue
      if (merges.length === MOST_MERGES)
        throw fault(`has tokens that are made of each other in too many ways`)
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
