/** Everything that is worked out while a grammar is used, by its name: made once, and forgotten when it grows too big. */
export class Pool {
  readonly #entries = new Map<string, Forgetful>()
  /** How often it was emptied. */
  age = 0

  constructor(
    /** Most entries kept; each takes up to 2 KB. */
    private readonly most: number,
  ) {}

  /** The entry of this name, which has but one maker. */
  get<T extends Forgetful>(name: string, make: () => T): T {
    const known = this.#entries.get(name) as T | undefined
    if (known) return known
    const entry = make()
    this.#entries.set(name, entry)
    return entry
  }

  get full(): boolean {
    return this.#entries.size > this.most
  }

  /** Lets all entries go. Those still held by someone go on working. */
  empty(): void {
    for (const entry of this.#entries.values()) entry.forget()
    this.#entries.clear()
    this.age++
  }
}

interface Forgetful {
  /** Drops what it keeps of other entries. */
  forget(): void
}
