/** Text ↔ token ids, by a checkpoint's own tokenizer files. Encoding is @huggingface/tokenizers'. */
import { join } from 'node:path'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { ServiceError, SetupError } from '../errors.js'
import { readJsonObject } from './json-file.js'
import { type TokenVocabulary, vocabularyOf } from './token-vocabulary.js'
import { readTokenizerJson } from './tokenizer-json.js'

export interface Tokenizer extends TokenVocabulary {
  /**
   * The ids of a text. Special tokens written in the text are recognised; nothing is added. Characters whose bytes
   * the vocabulary lacks are dropped, as the reference does. With `most`, a text that can not fit in that many tokens
   * is refused before any work (ServiceError `context_length_exceeded`): encoding takes 1 to 17 µs per byte.
   */
  encode(text: string, most?: number): number[]
}

/**
 * Loads tokenizer.json and tokenizer_config.json of a checkpoint folder; SetupError naming the file at fault.
 * @param rows as for {@link loadVocabulary}
 */
export function loadTokenizer(folder: string, rows = Number.POSITIVE_INFINITY): Tokenizer {
  const read = readTokenizerJson(folder, rows)
  const config = readJsonObject(folder, 'tokenizer_config.json')
  let library: Library
  try {
    library = new Library(read.json, config)
  } catch (cause) {
    throw new SetupError(`${join(folder, 'tokenizer.json')} can not be used: ${String(cause)}.`, { cause })
  }
  return {
    ...vocabularyOf(read),
    encode(text, most) {
      const least = Math.ceil(Buffer.byteLength(text) / read.longestToken)
      if (most !== undefined && least > most) {
        const message = `The text has at least ${least} tokens, more than the ${most} that fit: shorten it.`
        throw new ServiceError('context_length_exceeded', message, 'messages')
      }
      return library.encode(text, { add_special_tokens: false }).ids
    },
  }
}
