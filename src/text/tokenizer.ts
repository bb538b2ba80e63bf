/** Text ↔ token ids, by a checkpoint's own tokenizer files. Encoding is @huggingface/tokenizers'. */
import { join } from 'node:path'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { ServiceError, SetupError } from '../errors.js'
import { EncodingLimit, TooManyTokens } from './encoding-limit.js'
import { readJsonObject } from './json-file.js'
import { type TokenVocabulary, vocabularyOf } from './token-vocabulary.js'
import { readTokenizerJson } from './tokenizer-json.js'

export interface Tokenizer extends TokenVocabulary {
  /**
   * The ids of a text. Special tokens written in the text are recognised; nothing is added. Characters whose bytes
   * the vocabulary lacks are dropped, as the reference does. With `most`, a text that is far from fitting in that many
   * tokens is refused before it is encoded whole (ServiceError `context_length_exceeded`), which takes 1 to 17 µs per byte.
   */
  encode(text: string, most?: number): number[]
}

/** So many times what fits is counted to its end, for the count to be told. */
const COUNTED = 4

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
  const limit = new EncodingLimit(library.model!)
  const refused = (least: number, most: number): ServiceError => {
    const message = `The text has at least ${least} tokens, more than the ${most} that fit: shorten it.`
    return new ServiceError('context_length_exceeded', message, 'messages')
  }
  return {
    ...vocabularyOf(read),
    encode(text, most = Infinity) {
      const least = Math.ceil(Buffer.byteLength(text) / read.longestToken)
      if (least > most) throw refused(least, most)
      try {
        return limit.within(COUNTED * most, () => library.encode(text, { add_special_tokens: false }).ids)
      } catch (error) {
        throw error instanceof TooManyTokens ? refused(error.least, most) : error
      }
    },
  }
}
