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
   * is refused before any work (ServiceError `context_length_exceeded`): encoding takes 2 to 9 µs per byte.
   */
  encode(text: string, most?: number): number[]
  /** The text of ids; special tokens are left out unless `keepSpecial`, invalid UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[], options?: SpecialTokens): string
  /** Bytes that this id stands for (shared: do not write). Special tokens: empty unless `keepSpecial`. Unknown id: empty. */
  bytes(id: number, options?: SpecialTokens): Uint8Array
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

/** Loads tokenizer.json and tokenizer_config.json of a checkpoint folder; SetupError naming the file at fault. */
export function loadTokenizer(folder: string): Tokenizer {
  const { json, addedTokens, vocabularySize, longestToken } = readTokenizerJson(folder)
  const config = readJsonObject(folder, 'tokenizer_config.json')
  let library: Library
  try {
    library = new Library(json, config)
  } catch (cause) {
    throw new SetupError(`${join(folder, 'tokenizer.json')} can not be used: ${String(cause)}.`, { cause })
  }
  const added = new Map(addedTokens.map((token) => [token.id, token]))
  const known: (Uint8Array | undefined)[] = new Array(vocabularySize)

  const allBytes = (id: number): Uint8Array => {
    const token = added.get(id)?.content
    if (token !== undefined) return Buffer.from(token)
    return Uint8Array.from(
      [...(library.id_to_token(id) ?? '')].map((character) => byteOf.get(character) ?? 0),
    )
  }
  const bytes = (id: number, options?: SpecialTokens): Uint8Array => {
    if (!options?.keepSpecial && added.get(id)?.special) return nothing
    if (id < 0 || id >= vocabularySize) return nothing
    known[id] ??= allBytes(id)
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
      const pieces = ids.map((id) => bytes(id, options))
      // A byte order mark is text here, not a signature to swallow.
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(pieces))
    },
    bytes,
    id: (token) => library.token_to_id(token),
    specialTokens: addedTokens.filter(({ special }) => special).map(({ content }) => content),
    vocabularySize,
  }
}

/**
 * The byte-level alphabet (openai/gpt-2, src/encoder.py): printable Latin-1 bytes are written as themselves, the
 * others, in order, as U+0100 and following.
 */
const byteOf: ReadonlyMap<string, number> = (() => {
  const alphabet = new Map<string, number>()
  let others = 0
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    alphabet.set(String.fromCharCode(printable ? byte : 0x100 + others++), byte)
  }
  return alphabet
})()
