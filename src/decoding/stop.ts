/**
 * Ends a text before the first stop string that is complete in it (of several that end together, the longest), and
 * holds back text that may be the beginning of one. The borders of the pieces make no difference.
 */
export class StopStrings {
  readonly #stops: readonly string[]
  readonly #longest: number
  #held = ''
  #stopped = false

  /** Empty stop strings are ignored. */
  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '')
    this.#longest = Math.max(0, ...this.#stops.map((stop) => stop.length))
  }

  /** Characters that are held back, as the beginning of a stop string. */
  get held(): number {
    return this.#held.length
  }

  /** Whether a stop string has been complete. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Takes more text; returns what can be shown now. After a stop nothing more comes. */
  push(text: string): { text: string; stopped: boolean } {
    if (this.#stopped) return { text: '', stopped: true }
    const all = this.#held + text
    const start = this.#firstStop(all)
    if (start !== undefined) {
      this.#stopped = true
      this.#held = ''
      return { text: all.slice(0, start), stopped: true }
    }
    const safe = all.length - this.#beginning(all)
    this.#held = all.slice(safe)
    return { text: all.slice(0, safe), stopped: false }
  }

  /** The text that was held back and turned out not to be a stop string. */
  end(): string {
    const text = this.#held
    this.#held = ''
    return text
  }

  #firstStop(text: string): number | undefined {
    let first: { start: number; end: number } | undefined
    for (const stop of this.#stops) {
      const start = text.indexOf(stop)
      if (start < 0) continue
      const end = start + stop.length
      if (!first || end < first.end || (end === first.end && start < first.start)) first = { start, end }
    }
    return first?.start
  }

  /** The length of the longest end of the text that a stop string begins with. */
  #beginning(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const tail = text.slice(-length)
      if (this.#stops.some((stop) => stop.length > length && stop.startsWith(tail))) return length
    }
    return 0
  }
}
