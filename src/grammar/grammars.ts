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

const mostGrammars = 64
/** Of all grammars that are kept, by {@link bytesOf}. */
const mostBytes = 128e6
/** Grammars that keep what was worked out while they were used. */
const mostWarm = 8
/** Of a shape as JSON text; OpenAI allows less. */
const mostCharacters = 500_000
/** States and stacks of one grammar: up to 2 KB each. */
const mostEntries = 4000

export class Grammars {
  private tokens: TokenSet | undefined
  /** By shape as JSON text, the last used last. */
  private readonly compiled = new Map<string, Compiled>()

  /** Costs nothing: the vocabulary is read when the first grammar is compiled. */
  constructor(private readonly vocabulary: Vocabulary) {}

  /**
   * The grammar of a shape. ServiceError `invalid_value`, naming the keyword and where it is, for a schema that can
   * not be followed; SetupError for a vocabulary that can not write JSON.
   */
  compile(shape: Shape): Grammar {
    const name = JSON.stringify(shape)
    const compiled = this.compiled.get(name) ?? this.made(shape, name.length)
    this.compiled.delete(name) // to come behind all others
    this.compiled.set(name, compiled)
    this.tidy()
    return compiled.grammar
  }

  private made(shape: Shape, characters: number): Compiled {
    if (characters > mostCharacters) {
      const param = shape.kind === 'calls' ? 'tools' : 'response_format.json_schema.schema'
      const message = `The JSON Schema has ${characters} characters, more than the ${mostCharacters} that are allowed.`
      throw new ServiceError('invalid_value', message, param)
    }
    this.tokens ??= tokenSet(this.vocabulary)
    const { writable } = this.tokens
    const pool = new Pool(mostEntries)
    const lexemes = new Lexemes(writable, pool)
    const root = this.root(shape, { pool, lexemes, draw: drawing(writable) })
    return { grammar: new Grammar(root, this.tokens, pool), bytes: bytesOf(characters, lexemes.steps) }
  }

  /** Lets go of what was used longest ago. */
  private tidy(): void {
    let [bytes, rank] = [0, this.compiled.size]
    for (const compiled of this.compiled.values()) bytes += compiled.bytes
    for (const [name, compiled] of this.compiled) {
      if (rank > 1 && (rank > mostGrammars || bytes > mostBytes)) {
        this.compiled.delete(name)
        bytes -= compiled.bytes
      } else if (rank > mostWarm) compiled.grammar.forget()
      rank--
    }
  }

  private root(shape: Shape, making: RuleMaking): Callee {
    switch (shape.kind) {
      case 'json':
        return objectRule(true, true, making)
      case 'schema':
        return refused('response_format.json_schema.schema', () => schemaRule(shape.schema, making))
      case 'calls': {
        const { tools, choice, convention, parallel } = shape
        const functions = tools.flatMap(({ name, parameters = true, strict = false, index }, place) => {
          if (typeof choice === 'object' && choice.name !== name) return []
          const at = `tools[${index ?? place}].function.parameters`
          return [{ name, parameters: refused(at, () => objectRule(parameters, strict, making)) }]
        })
        const call = callRule(functions, convention.argumentsKey, making)
        const calls = { convention, call, isAuto: choice === 'auto', parallel }
        return replyWithCalls(calls, this.vocabulary, making.pool)
      }
    }
  }
}

interface Compiled {
  readonly grammar: Grammar
  readonly bytes: number
}

/** What a grammar takes once its graphs are drawn, roughly: as measured with large schemas. */
const bytesOf = (characters: number, steps: number): number => 20_000 + 60 * characters + 30 * steps

function refused<T>(param: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { pointer, reason } = error
    throw new ServiceError('invalid_value', `The schema at ${pointer} ${reason}.`, param)
  }
}
