/** A checkpoint's tokens as grammars know them. */
import type { Vocabulary } from '../../grammar/shape.js'
import type { TokenVocabulary } from '../../text/token-vocabulary.js'

/** @param size tokens that the network has */
export const grammarVocabulary = (
  tokens: TokenVocabulary,
  size: number,
  stopTokens: ReadonlySet<number>,
): Vocabulary => ({
  size,
  bytes: (id) => tokens.bytes(id),
  stopTokens,
  specialId: (text) => tokens.id(text),
})
