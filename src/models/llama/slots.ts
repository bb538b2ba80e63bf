/**
 * The slots of a session: whose rows are where. Rows of what is finished stay until the slot or its memory is needed,
 * least recently used first, and a sequence that begins like them starts behind what they have in common.
 */
import type { GraphSignature, Session } from '../../runtime/session.js'
import { commonPrefix } from './prefix.js'
import type { Sequence } from './sequence.js'

export class Slot {
  /** What the rows are of; the first {@link rows} of them count. */
  tokens: readonly number[] = []
  rows = 0
  /** So many of the first rows were computed in the pieces of a prompt that is alone; the last may be a short one. */
  exact = 0
  /** Who writes here; null: nobody, the rows are kept. */
  owner: Sequence | null = null
  /** When it was last of use: a count of such events. */
  used = 0

  constructor(readonly index: number) {}
}

/** The session's part that moves memory, and whether slots have memory of their own. */
export interface SlotMemory extends Pick<Session, 'reserve' | 'copy' | 'release'> {
  readonly signature: Pick<GraphSignature, 'slots'>
}

/** Rows that are rather computed than copied: on a GPU a copy is a call for every head of every layer. */
const LEAST_COPIED = 16
/** A slot that has more than so many times the rows of a sequence is not its place, where it can have less. */
const MOST_ROOM = 4

interface Beginning {
  readonly slot: Slot
  /** How many of its rows are of the sequence's first tokens. */
  readonly rows: number
}

export class Slots {
  readonly all: readonly Slot[]
  private uses = 0

  /** @param limits how many slots there are, how many rows a sequence may have, and how many a piece of a prompt has */
  constructor(
    private readonly memory: SlotMemory,
    private readonly limits: { readonly slots: number; readonly context: number; readonly chunk: number },
  ) {
    this.all = Array.from({ length: limits.slots }, (_, index) => new Slot(index))
  }

  /** The sequences that have a slot. */
  get owners(): Sequence[] {
    return this.all.flatMap(({ owner }) => owner ?? [])
  }

  /**
   * Gives a sequence a slot with room for its tokens, and the rows that some slot has of their beginning. One slot at
   * least has to be without owner.
   * @returns false where there is no memory left for so many rows
   */
  place(sequence: Sequence): boolean {
    const { tokens } = sequence
    const vacant = this.all.filter(({ owner }) => !owner)
    const source = this.longest(sequence, this.all)
    if (source) this.touch(source.slot)
    const slot = this.choose(sequence, vacant, source)
    if (slot !== source?.slot && this.makeRoom(slot, tokens.length, source?.slot)) {
      this.occupy(slot, sequence, this.wanted(slot, sequence))
      this.catchUp(sequence)
      return true
    }
    // In the place of what it begins with it needs the least memory, unless that is far more than its own would be.
    const [own, rows] = source && !source.slot.owner ? [source.slot, source.rows] : [slot, 0]
    if (this.isTooRoomy(own, tokens.length) || !this.makeRoom(own, tokens.length)) {
      this.forget(own)
      if (!this.makeRoom(own, tokens.length)) return false
    }
    this.occupy(own, sequence, rows)
    return true
  }

  /** The slot for a sequence, emptied if nothing in it is wanted. */
  private choose(sequence: Sequence, vacant: readonly Slot[], source?: Beginning): Slot {
    // To go on in a slot costs nothing where all of its rows are wanted (or all but the last, to be computed again).
    const whole = this.longest(
      sequence,
      vacant.filter((slot) => this.wanted(slot, sequence) >= slot.rows - 1),
    )
    if (whole) return whole.slot
    const oldest = this.leastUsed(vacant.filter((slot) => slot !== source?.slot))
    // Where something is lost in any case, it is better the end of what is wanted than something else, unless it is long.
    if (source && !source.slot.owner && 2 * source.rows >= source.slot.rows && oldest?.rows !== 0)
      return source.slot
    if (!oldest) return source!.slot
    this.forget(oldest)
    return oldest
  }

  /** Whether a slot holds memory for many times these rows, which each step would have to go through. */
  private isTooRoomy(slot: Slot, rows: number): boolean {
    return this.memory.signature.slots === 0 && slot.rows > MOST_ROOM * rows
  }

  /** Copies the rows that another slot has got of a sequence's tokens, where they are many more than its own. */
  catchUp(sequence: Sequence): void {
    const { slot: own } = sequence
    const source = this.longest(sequence, this.all)
    if (!own || !source || source.rows < own.rows + LEAST_COPIED) return
    this.memory.copy(source.slot.index, own.index, source.rows)
    this.touch(source.slot)
    own.rows = source.slot.rows
    own.exact = source.slot.exact
    this.cut(own, source.rows)
  }

  /** A run has written a sequence's next rows. */
  written({ slot, promptLength }: Sequence, rows: number): void {
    const own = slot!
    const { chunk } = this.limits
    const isPiece = own.rows % chunk === 0 && (rows === chunk || own.rows + rows === promptLength)
    if (own.exact === own.rows && isPiece) own.exact += rows
    own.rows += rows
  }

  /** Makes room for one more row than a sequence has; false where only other sequences' memory is left. */
  grow({ slot }: Sequence): boolean {
    return this.makeRoom(slot!, slot!.rows + 1)
  }

  /** A sequence is over: its rows stay for others. */
  leave(sequence: Sequence): void {
    const { slot } = sequence
    if (!slot) return
    slot.owner = null
    sequence.slot = null
    this.touch(slot)
    // Nothing goes on behind the last row that there is, and an idle slot has to have one to be written in vain.
    this.cut(slot, this.limits.context - 1)
    slot.tokens = sequence.tokens.slice(0, slot.rows)
    if (slot.rows === 0) this.forget(slot)
  }

  /** Takes a sequence's slot and all its rows. */
  drop(sequence: Sequence): void {
    const { slot } = sequence
    if (!slot) return
    slot.owner = null
    sequence.slot = null
    this.forget(slot)
  }

  /** What is in these slots is not known any more. @returns whose it was */
  lose(indices: readonly number[]): Sequence[] {
    const slots = indices.map((index) => this.all[index]!)
    const owners = slots.flatMap(({ owner }) => owner ?? [])
    for (const owner of owners) owner.slot = null
    for (const slot of slots) {
      slot.owner = null
      this.forget(slot)
    }
    return owners
  }

  /** @param most how many of the slot's rows may be the sequence's */
  private occupy(slot: Slot, sequence: Sequence, most: number): void {
    this.cut(slot, most)
    slot.owner = sequence
    slot.tokens = sequence.tokens
    sequence.slot = slot
    this.touch(slot)
  }

  /** Reserves rows in a slot, at the cost of rows that are only kept; those of `spared` are not touched. */
  private makeRoom(slot: Slot, rows: number, spared?: Slot): boolean {
    while (!this.memory.reserve(slot.index, rows)) {
      const kept = this.all.filter(
        (other) => !other.owner && other.rows > 0 && other !== slot && other !== spared,
      )
      const oldest = this.leastUsed(kept)
      if (!oldest) return false
      this.forget(oldest)
    }
    return true
  }

  /** Lets no more than the first `rows` rows count. */
  private cut(slot: Slot, rows: number): void {
    slot.rows = Math.min(slot.rows, rows)
    // Part of a piece is not what a piece of its length would be.
    if (slot.exact > rows) slot.exact = rows - (rows % this.limits.chunk)
  }

  private forget(slot: Slot): void {
    this.memory.release(slot.index)
    slot.tokens = []
    this.cut(slot, 0)
    slot.used = 0
  }

  private touch(slot: Slot): void {
    slot.used = ++this.uses
  }

  /** An empty one, the first of them, or else the least recently used. */
  private leastUsed(slots: readonly Slot[]): Slot | undefined {
    return [...slots].sort((a, b) => a.used - b.used)[0]
  }

  /** Where the most rows of a sequence are. */
  private longest(sequence: Sequence, slots: readonly Slot[]): Beginning | undefined {
    let best: Beginning | undefined
    for (const slot of slots) {
      const rows = this.wanted(slot, sequence)
      if (rows > (best?.rows ?? 0)) best = { slot, rows }
    }
    return best
  }

  /** How many of a slot's rows a sequence can begin with. Its last token has to be computed in any case. */
  private wanted({ tokens, rows, exact }: Slot, sequence: Sequence): number {
    const { reproducible, promptLength } = sequence
    const common = commonPrefix(tokens, sequence.tokens, Math.min(rows, sequence.tokens.length - 1))
    if (!reproducible) return common
    // The last, short piece of a prompt is another where the prompt goes on.
    if (exact === promptLength && common >= exact) return exact
    // What it has written, it wrote by steps: the same text in somebody's prompt is not the same rows.
    const usable = Math.min(exact, common, promptLength)
    return usable - (usable % this.limits.chunk)
  }
}
