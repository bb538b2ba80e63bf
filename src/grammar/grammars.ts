/** The grammars of one vocabulary: the last used ones are kept. */
import { replyWithCalls } from './calls.js'
import { rootRule } from './drawn-rule.js'
import { Grammar } from './grammar.js'
import type { GrammarPlan } from './plan.js'
import { Pool } from './pool.js'
import type { Shape, Vocabulary } from './shape.js'
import type { TokenSet } from './token-set.js'

const mostGrammars = 64
/** Of all grammars that are kept, by {@link GrammarPlan.bytes}. */
const mostBytes = 128e6
/** Grammars that keep what was worked out while they were used. */
const mostWarm = 8
/** States and stacks of one grammar: up to 2 KB each. */
const mostEntries = 4000

export class Grammars {
  /** By shape as JSON text, the last used last. */
  private readonly kept = new Map<string, { readonly grammar: Grammar; readonly bytes: number }>()

  constructor(private readonly vocabulary: Vocabulary) {}

  /** The grammar of a shape; undefined where it has to be compiled first. */
  find(shape: Shape): Grammar | undefined {
    return this.named(JSON.stringify(shape))
  }

  private named(name: string): Grammar | undefined {
    const known = this.kept.get(name)
    if (!known) return undefined
    this.kept.delete(name) // to come behind all others
    this.kept.set(name, known)
    this.tidy()
    return known.grammar
  }

  /** @param plan what the shape was compiled to; `tokens`: the vocabulary's */
  add(shape: Shape, plan: GrammarPlan, tokens: TokenSet): Grammar {
    const name = JSON.stringify(shape)
    const known = this.named(name)
    if (known) return known
    const { vocabulary } = this
    const pool = new Pool(mostEntries)
    const rule = rootRule(plan, tokens.writable, pool)
    const root = plan.calls ? replyWithCalls({ ...plan.calls, call: rule }, vocabulary, pool) : rule
    const grammar = new Grammar(root, vocabulary, tokens, pool)
    this.kept.set(name, { grammar, bytes: plan.bytes })
    this.tidy()
    return grammar
  }

  /** Lets go of what was used longest ago. */
  private tidy(): void {
    let [bytes, rank] = [0, this.kept.size]
    for (const kept of this.kept.values()) bytes += kept.bytes
    for (const [name, kept] of this.kept) {
      if (rank > 1 && (rank > mostGrammars || bytes > mostBytes)) {
        this.kept.delete(name)
        bytes -= kept.bytes
      } else if (rank > mostWarm) kept.grammar.forget()
      rank--
    }
  }
}
