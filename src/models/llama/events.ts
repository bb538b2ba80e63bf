/** Events on their way from what makes them to who reads them. */
export class EventQueue<Event> {
  #events: Event[] = []
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

  /** For one reader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    for (;;) {
      const events = this.#events
      this.#events = []
      yield* events
      if (this.#events.length > 0) continue
      if (this.#end && 'error' in this.#end) throw this.#end.error
      if (this.#end) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
