/** A compiled grammar, and the place of one reply in it. */
import { after, afterSpecial, type Configuration, initial, nameOf } from './configuration.js'
import { applyMask, type Mask, maskOf } from './mask.js'
import type { Pool } from './pool.js'
import type { Vocabulary } from './shape.js'
import type { Callee } from './state.js'
import type { TokenSet } from './token-set.js'

/** Most bytes of masks that a grammar keeps. */
const mostMaskBytes = 4_000_000

export class Grammar {
  #masks = new Map<string, Mask>()
  #maskBytes = 0

  constructor(
    private readonly root: Callee,
    private readonly vocabulary: Vocabulary,
    private readonly tokens: TokenSet,
    private readonly pool: Pool,
  ) {}

  begin(): Constraint {
    return new Constraint(this, initial(this.root, this.pool))
  }

  /** @internal Sets the logits of all tokens that can not come here to −Infinity. */
  mask(at: Configuration, logits: Float32Array): void {
    const name = nameOf(at)
    let mask = this.#masks.get(name)
    if (!mask) {
      if (this.#maskBytes > mostMaskBytes || this.pool.full) this.forget()
      mask = maskOf(at, this.tokens, this.pool)
      this.#masks.set(name, mask)
      this.#maskBytes += mask.words.byteLength + 2 * name.length
    }
    applyMask(mask, logits, this.tokens.size)
  }

  /** @internal The configuration after a token; undefined where it can not come; 'end' after a stop token. */
  take(at: Configuration, token: number): Configuration | 'end' | undefined {
    const { vocabulary } = this
    if (vocabulary.stopTokens.has(token)) return at.ends ? 'end' : undefined
    const bytes = vocabulary.bytes(token)
    if (bytes.length === 0) return afterSpecial(at, token, this.pool)
    let now: Configuration | undefined = at
    for (let index = 0; now && index < bytes.length; index++) now = after(now, bytes[index]!, this.pool)
    return now
  }

  /** Lets go of what was worked out; replies go on all the same. */
  forget(): void {
    if (this.#maskBytes === 0) return

    this.pool.empty()
    this.#masks.clear()
    this.#maskBytes = 0
  }
}

/** One reply's place in its grammar. */
export class Constraint {
  #at: Configuration | 'end'

  /** @internal Made by {@link Grammar.begin}. */
  constructor(
    private readonly grammar: Grammar,
    start: Configuration,
  ) {
    this.#at = start
  }

  /**
   * Sets the logits of all tokens that can not come next to −Infinity; stop tokens are left exactly where the text
   * may end. @param logits at least one per token of the vocabulary.
   */
  mask(logits: Float32Array): void {
    if (this.#at === 'end') throw new Error('nothing comes after a stop token')
    this.grammar.mask(this.#at, logits)
  }

  /** Takes the token that was chosen; one that the mask forbids is a fault of the caller. */
  accept(token: number): void {
    const next = this.#at === 'end' ? undefined : this.grammar.take(this.#at, token)
    if (!next) throw new Error(`token ${token} can not come here`)
    this.#at = next
  }
}
