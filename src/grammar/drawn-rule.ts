/** The rules of a compiled grammar, drawn when a text comes to them. */
import { type CalledRule, drawn } from './json-drawing.js'
import type { GrammarPlan, TextPlan } from './plan.js'
import type { Pool } from './pool.js'
import { renamed } from './rule.js'
import type { Callee, State } from './state.js'
import { stringLexeme } from './string-lexeme.js'
import { type Node, structureState } from './structure.js'
import type { TextState } from './text-automaton.js'
import { measured, textOfLength } from './text-length.js'
import { textLexeme } from './text-lexeme.js'
import { TableState } from './text-table.js'

/** The first rule of a grammar. @param writable which bytes a token can be: other characters are escaped */
export function rootRule({ rules, lexemes }: GrammarPlan, writable: readonly boolean[], pool: Pool): Callee {
  const callees = lexemes.map(({ kind, texts }) => {
    const state = textsOf(texts, pool)
    return kind === 'string' ? stringLexeme(state, writable, pool) : textLexeme(state, pool)
  })
  const all: DrawnRule[] = rules.map((plan, index) => {
    const alternatives = () =>
      plan.map((alternative) =>
        renamed(
          alternative,
          (rule): CalledRule => all[rule]!,
          (lexeme) => callees[lexeme]!,
        ),
      )
    return new DrawnRule(index, pool, writable, alternatives)
  })
  return all[0]!
}

type Alternatives = CalledRule['alternatives']

class DrawnRule implements CalledRule {
  readonly level = 1
  #alternatives: Alternatives | undefined

  constructor(
    private readonly index: number,
    private readonly pool: Pool,
    private readonly writable: readonly boolean[],
    private readonly make: () => Alternatives,
  ) {}

  get alternatives(): Alternatives {
    this.#alternatives ??= this.make()
    return this.#alternatives
  }

  get start(): State {
    const { index, pool, writable } = this
    const { root } = pool.get(`r${index}`, () => new Drawing(drawn(this.alternatives, writable)))
    return structureState([root], pool)
  }
}

/** A rule's graph grows with the texts that are written, so it goes with all else that was worked out. */
class Drawing {
  constructor(readonly root: Node) {}

  forget(): void {}
}

function textsOf(texts: TextPlan, pool: Pool): TextState {
  switch (texts.kind) {
    case 'table':
      return TableState.start(texts.table)
    case 'length':
      return textOfLength(texts.least, texts.most, pool)
    case 'measured':
      return measured(texts, pool)
  }
}
