/** Grammars that are compiled apart and used here: those of the last requests are there at once. */
import type { Grammar } from '../../grammar/grammar.js'
import { Grammars } from '../../grammar/grammars.js'
import type { Shape, Vocabulary } from '../../grammar/shape.js'
import type { TokenSet } from '../../grammar/token-set.js'
import type { Preparation } from './preparation.js'

export class PreparedGrammars {
  readonly #grammars: Grammars
  readonly #preparation: Preparation
  #tokens: Promise<TokenSet> | undefined

  constructor(vocabulary: Vocabulary, preparation: Preparation) {
    this.#grammars = new Grammars(vocabulary)
    this.#preparation = preparation
  }

  /** @throws ServiceError for a schema that can not be followed; the signal's reason */
  async of(shape: Shape, signal: AbortSignal): Promise<Grammar> {
    const known = this.#grammars.find(shape)
    if (known) return known
    const preparation = this.#preparation
    const plan = await preparation.ask({ kind: 'grammar', shape }, signal)
    // Whoever asks first and leaves does not take them from the others.
    this.#tokens ??= preparation.ask({ kind: 'tokens' }, new AbortController().signal)
    return this.#grammars.add(shape, plan, await this.#tokens)
  }
}
