/** Threads that read the same bytes, as one: as long as all stay within their automata, their stacks do not matter. */
import type { Pool } from './pool.js'
import type { Exits } from './state.js'

export class Together {
  #after: (Together | 'apart' | null)[] = []

  private constructor(
    private readonly members: readonly Exits[],
    private readonly pool: Pool,
  ) {}

  static of(members: Iterable<Exits>, pool: Pool): Together {
    const all = [...new Set(members)].sort((a, b) => a.state.id - b.state.id)
    return pool.get(`w${all.map(({ state }) => state.id).join()}`, () => new Together(all, pool))
  }

  /** Null where the byte can not come for any; 'apart' where one comes to an end or a call, and its stack is asked for. */
  after(byte: number): Together | 'apart' | null {
    const known = this.#after[byte]
    if (known !== undefined) return known
    const next = this.members.flatMap((member) => member.after(byte) ?? [])
    const after =
      next.length === 0 ? null : next.every(({ isInner }) => isInner) ? Together.of(next, this.pool) : 'apart'
    this.#after[byte] = after
    return after
  }

  forget(): void {
    this.#after = []
  }
}
