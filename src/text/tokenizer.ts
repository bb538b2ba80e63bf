/** Text ↔ token ids, by a checkpoint's own tokenizer files. Encoding is @huggingface/tokenizers'. */
import { join } from 'node:path'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { ServiceError, SetupError } from '../errors.js'
import { readJsonObject } from './json-file.js'
import { readTokenizerJson } from './tokenizer-json.js'

export interface Tokenizer {
  /**
   * The ids of a text. Special tokens written in the text are recognised; nothing is added. Characters whose bytes
   * the vocabulary lacks are dropped, as the reference does. With `most`, a text that can not fit in that many tokens
   * is refused before any work (ServiceError `context_length_exceeded`): encoding takes 1 to 17 µs per byte.
   */
  encode(text: string, most?: number): number[]
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
 * Loads tokenizer.json and tokenizer_config.json of a checkpoint folder; SetupError naming the file at fault.
 * @param rows tokens that the network has; added ones beyond are left out, such as Gemma 3's image token in its networks
 *   that know only text
 */
export function loadTokenizer(folder: string, rows = Number.POSITIVE_INFINITY): Tokenizer {
  const { json, addedTokens, decoder, vocabularySize, longestToken } = readTokenizerJson(folder, rows)
  const config = readJsonObject(folder, 'tokenizer_config.json')
  let library: Library
  try {
    library = new Library(json, config)
  } catch (cause) {
    throw new SetupError(`${join(folder, 'tokenizer.json')} can not be used: ${String(cause)}.`, { cause })
  }
  const added = new Map(addedTokens.map((token) => [token.id, token]))
  const known: (Uint8Array | undefined)[] = new Array(vocabularySize)

  const bytes = (id: number, options?: SpecialTokens): Uint8Array => {
    if (!options?.keepSpecial && added.get(id)?.special) return nothing
    if (id < 0 || id >= vocabularySize) return nothing
    known[id] ??= decoder.bytes(added.get(id)?.content ?? library.id_to_token(id) ?? '')
    return known[id]
  }
  return {
    encode(text, most) {
      const least = Math.ceil(Buffer.byteLength(text) / longestToken)
      if (most !== undefined && least > most) {
        const message = `The text has at least ${least} tokens, more than the ${most} that fit: shorten it.`
        throw new ServiceError('context_length_exceeded', message, 'messages')
      }
      return library.encode(text, { add_special_tokens: false }).ids
    },
    decode(ids, options) {
      const all = Buffer.concat(ids.map((id) => bytes(id, options)))
      let start = 0
      while (start < decoder.leadingBlanks && all[start] === 0x20) start++
      // A byte order mark is text here, not a signature to swallow.
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(all.subarray(start))
    },
    bytes,
    leadingBlanks: decoder.leadingBlanks,
    id: (token) => library.token_to_id(token),
    specialTokens: addedTokens.filter(({ special }) => special).map(({ content }) => content),
    vocabularySize,
  }
}
