/** The tokens of a checkpoint's tokenizer: ids, and the bytes that they stand for. What needs no more reads no text. */
import { readTokenizerJson, type TokenizerJson } from './tokenizer-json.js'

export interface TokenVocabulary {
  /** The text of ids; special tokens are left out unless `keepSpecial`, invalid UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[], options?: SpecialTokens): string
  /** Bytes that this id stands for (shared: do not write). Special tokens: empty unless `keepSpecial`. Unknown id: empty. */
  bytes(id: number, options?: SpecialTokens): Uint8Array
  /**
   * Blanks that a decoded text loses at its start, where it has them, because encoding puts them there: `decode` and
   * TokenStream take them away, `bytes` does not.
   */
  readonly leadingBlanks: number
  /** The id of a token as the vocabulary writes it, such as `<|im_end|>`. */
  id(token: string): number | undefined
  /** The special tokens as the vocabulary writes them. */
  readonly specialTokens: readonly string[]
  /** Largest id + 1. */
  readonly vocabularySize: number
}

export interface SpecialTokens {
  /** Write special tokens (and Whisper's timestamps) as text. */
  readonly keepSpecial?: boolean
}

const nothing = new Uint8Array(0)

/**
 * Loads the tokens of tokenizer.json of a checkpoint folder; SetupError naming the file at fault.
 * @param rows tokens that the network has; added ones beyond are left out, such as Gemma 3's image token in its networks
 *   that know only text
 */
export function loadVocabulary(folder: string, rows = Number.POSITIVE_INFINITY): TokenVocabulary {
  return vocabularyOf(readTokenizerJson(folder, rows))
}

export function vocabularyOf({ ids, addedTokens, decoder, vocabularySize }: TokenizerJson): TokenVocabulary {
  const special = new Set(addedTokens.filter((token) => token.special).map(({ id }) => id))
  const texts: string[] = new Array(vocabularySize)
  for (const [token, id] of ids) texts[id] = token
  for (const { content, id } of addedTokens) texts[id] = content
  const known: (Uint8Array | undefined)[] = new Array(vocabularySize)

  const bytes = (id: number, options?: SpecialTokens): Uint8Array => {
    if (!options?.keepSpecial && special.has(id)) return nothing
    if (id < 0 || id >= vocabularySize) return nothing
    known[id] ??= decoder.bytes(texts[id] ?? '')
    return known[id]
  }
  return {
    decode(tokens, options) {
      const all = Buffer.concat(tokens.map((id) => bytes(id, options)))
      let start = 0
      while (start < decoder.leadingBlanks && all[start] === 0x20) start++
      // A byte order mark is text here, not a signature to swallow.
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(all.subarray(start))
    },
    bytes,
    leadingBlanks: decoder.leadingBlanks,
    id: (token) => ids.get(token),
    specialTokens: addedTokens.filter((token) => token.special).map(({ content }) => content),
    vocabularySize,
  }
}
