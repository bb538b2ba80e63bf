/** The grammars of one vocabulary: compiled when first asked for, the last used ones kept. */
import { ServiceError } from '../errors.js'
import { callRule, replyWithCalls } from './calls.js'
import { Grammar } from './grammar.js'
import { drawing } from './json-drawing.js'
import { Lexemes } from './lexemes.js'
import { Pool } from './pool.js'
import { Refusal } from './refusal.js'
import { objectRule, type RuleMaking, schemaRule } from './schema-rules.js'
import type { Shape, Vocabulary } from './shape.js'
import type { Callee } from './state.js'
import { type TokenSet, tokenSet } from './token-set.js'

const mostGrammars = 32
/** States and stacks of one grammar: up to 2 KB each. */
const mostEntries = 4000

export class Grammars {
  private tokens: TokenSet | undefined
  private readonly compiled = new Map<string, Grammar>()

  /** Costs nothing: the vocabulary is read when the first grammar is compiled. */
  constructor(private readonly vocabulary: Vocabulary) {}

  /**
   * The grammar of a shape. ServiceError `invalid_value`, naming the keyword and where it is, for a schema that can
   * not be followed; SetupError for a vocabulary that can not write JSON.
   */
  compile(shape: Shape): Grammar {
    const name = JSON.stringify(shape)
    const known = this.compiled.get(name)
    this.compiled.delete(name) // to come behind all others
    const grammar = known ?? this.made(shape)
    this.compiled.set(name, grammar)
    for (const [oldest] of this.compiled) {
      if (this.compiled.size <= mostGrammars) break
      this.compiled.delete(oldest)
    }
    return grammar
  }

  private made(shape: Shape): Grammar {
    this.tokens ??= tokenSet(this.vocabulary)
    const { writable } = this.tokens
    const pool = new Pool(mostEntries)
    const making = { pool, lexemes: new Lexemes(writable, pool), draw: drawing(writable) }
    return new Grammar(this.root(shape, making), this.tokens, pool)
  }

  private root(shape: Shape, making: RuleMaking): Callee {
    switch (shape.kind) {
      case 'json':
        return objectRule(true, true, making)
      case 'schema':
        return refused('response_format.json_schema.schema', () => schemaRule(shape.schema, making))
      case 'calls': {
        const { tools, choice, convention, parallel } = shape
        const functions = tools.flatMap(({ name, parameters = true, strict = false }, index) => {
          if (typeof choice === 'object' && choice.name !== name) return []
          const at = `tools[${index}].function.parameters`
          return [{ name, parameters: refused(at, () => objectRule(parameters, strict, making)) }]
        })
        const call = callRule(functions, convention.argumentsKey, making)
        const calls = { convention, call, isAuto: choice === 'auto', parallel }
        return replyWithCalls(calls, this.vocabulary, making.pool)
      }
    }
  }
}

function refused<T>(param: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { pointer, reason } = error
    throw new ServiceError('invalid_value', `The schema at ${pointer} ${reason}.`, param)
  }
}
