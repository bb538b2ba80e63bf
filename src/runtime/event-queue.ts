/** Events on their way from what makes them to who reads them. */
export class EventQueue<Event> {
  readonly #events: Event[] = []
  #end: { readonly error?: unknown } | undefined
  #wake = () => {}

  push(event: Event): void {
    this.#events.push(event)
    this.#wake()
  }

  /** Nothing comes any more. */
  end(): void {
    this.#end ??= {}
    this.#wake()
  }

  /** Thrown at the reader when it has read what came before. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  /** For one reader. @throws the signal's reason as soon as it aborts, whatever is there or is waited for */
  async *read(signal: AbortSignal): AsyncGenerator<Event> {
    const onAbort = () => this.#wake()
    signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        signal.throwIfAborted()
        if (this.#events.length > 0) yield this.#events.shift()!
        else if (!this.#end) await new Promise<void>((resolve) => (this.#wake = resolve))
        else if ('error' in this.#end) throw this.#end.error
        else return
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
