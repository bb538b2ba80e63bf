/** Ids of one text, such as a reply, → the text as it comes. */
import type { SpecialTokens, TokenVocabulary } from './token-vocabulary.js'
import { Utf8Stream } from './utf8-stream.js'

/** All pieces together are what `TokenVocabulary.decode` gives for all ids, but for an unfinished character at the end. */
export class TokenStream {
  readonly #tokens: Pick<TokenVocabulary, 'bytes' | 'leadingBlanks'>
  readonly #characters = new Utf8Stream()
  /** Blanks that may still be left out. */
  #blanks: number

  constructor(tokens: Pick<TokenVocabulary, 'bytes' | 'leadingBlanks'>) {
    this.#tokens = tokens
    this.#blanks = tokens.leadingBlanks
  }

  /** The characters that are complete with this token. */
  push(id: number, options?: SpecialTokens): string {
    const bytes = this.#tokens.bytes(id, options)
    let start = 0
    while (this.#blanks > 0 && start < bytes.length) {
      const blank = bytes[start] === 0x20
      if (blank) start++
      this.#blanks = blank ? this.#blanks - 1 : 0
    }
    return this.#characters.push(bytes.subarray(start))
  }

  /** U+FFFD if the text ended inside a character, otherwise nothing. */
  end(): string {
    return this.#characters.end()
  }
}
