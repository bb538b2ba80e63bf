/** Turns pieces of bytes into text, holding back an unfinished UTF-8 sequence. Invalid bytes become U+FFFD. */
export class Utf8Stream {
  // A byte order mark is text here, not a signature to swallow.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true })
  }

  /** U+FFFD if the bytes ended inside a sequence, otherwise nothing. The stream can then be used anew. */
  end(): string {
    return this.#decoder.decode()
  }
}
