/** Encoding that ends as soon as a text is known to have too many tokens: a long one takes seconds. */

/** The library's model, which makes tokens of words. */
interface WordModel {
  readonly tokens_to_ids: ReadonlyMap<string, number>
  readonly unk_token?: string
  encode(words: string[]): string[]
}

/** In characters: shorter words are encoded sooner than looked at. */
const longWord = 1000

export class EncodingLimit {
  readonly #ids: ReadonlyMap<string, number>
  #most = Infinity
  #count = 0
  #longestFirst: readonly string[] | undefined

  /** @param model whose `encode` is limited from here on, while {@link within} runs */
  constructor(model: WordModel) {
    this.#ids = model.tokens_to_ids
    const encode = model.encode.bind(model)
    model.encode = (words) => {
      if (this.#most === Infinity) return encode(words)
      return words.flatMap((word) => {
        this.#check(word.length < longWord ? 0 : this.#fewest(word))
        const tokens = encode([word])
        // Those that stand for what the vocabulary lacks may come to be one.
        for (const token of tokens) if (token !== model.unk_token) this.#count++
        return tokens
      })
    }
  }

  /** @throws TooManyTokens when there are more than `most` */
  within<T>(most: number, encode: () => T): T {
    this.#most = most
    this.#count = 0
    try {
      return encode()
    } finally {
      this.#most = Infinity
    }
  }

  #check(more: number): void {
    if (this.#count + more > this.#most) throw new TooManyTokens(this.#count + more)
  }

  /** No less than so many tokens are a word's: each as long as the longest of the same characters. */
  #fewest(word: string): number {
    const characters = new Set(word)
    // What the vocabulary lacks may come to be nothing.
    for (const character of characters) if (!this.#ids.has(character)) return 0
    this.#longestFirst ??= [...this.#ids.keys()].sort((a, b) => b.length - a.length)
    const longest = this.#longestFirst.find((token) => Array.from(token).every((one) => characters.has(one)))
    return longest ? Math.ceil(word.length / longest.length) : 0
  }
}

export class TooManyTokens extends Error {
  override readonly name = 'TooManyTokens'

  constructor(readonly least: number) {
    super(`a text has at least ${least} tokens`)
  }
}
