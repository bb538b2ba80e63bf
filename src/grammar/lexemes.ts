/** The strings and numbers of a grammar, each kind of them made once. */
import { formatNames, textsOfFormat } from './formats.js'
import { type NumberBounds, numbers } from './number-text.js'
import { otherThan } from './other-names.js'
import { Pool } from './pool.js'
import { Refusal } from './refusal.js'
import { matching } from './regex.js'
import { PatternError } from './regex-syntax.js'
import type { SchemaNode } from './schema-node.js'
import { Effort, intersect, type TextState, TooComplex } from './text-automaton.js'
import { textOfLength, withLength } from './text-length.js'

/** Texts as JSON writes them: strings in quotes, with escapes, or numbers as they are. */
export interface Lexeme {
  readonly kind: 'string' | 'number'
  readonly texts: TextState
}

export class Lexemes {
  readonly effort = new Effort()
  private readonly pool = new Pool(Infinity)
  private readonly texts = new Map<string, TextState | undefined>()
  private readonly lexemes = new Map<TextState, Lexeme>()

  /** Any string. */
  get string(): Lexeme {
    return this.lexeme('string', this.textsOf([], true)!)
  }

  /** Strings that satisfy all of these nodes; undefined if there are none. */
  strings(nodes: readonly SchemaNode[], strict: boolean): Lexeme | undefined {
    const texts = this.textsOf(nodes, strict)
    return texts && this.lexeme('string', texts)
  }

  /** Keys that are none of these names. @throws TooComplex */
  otherKeys(names: readonly string[]): Lexeme {
    const name = JSON.stringify(['names', ...names])
    return this.lexeme('string', this.made(name, () => otherThan(names, this.pool, this.effort))!)
  }

  /** Numbers, or integers, that satisfy all of these nodes; undefined if there are none. */
  numbers(nodes: readonly SchemaNode[], integer: boolean): Lexeme | undefined {
    const bounds = boundsOf(nodes, integer)
    const name = `number ${Object.values(bounds).join()}` // infinities have no JSON
    const texts = this.made(name, () => attempt(nodes, () => numbers(bounds, this.effort)))
    return texts && this.lexeme('number', texts)
  }

  /** The texts of the strings that satisfy all of these nodes. Not strict: patterns and formats not known are ignored. */
  textsOf(nodes: readonly SchemaNode[], strict: boolean): TextState | undefined {
    const least = nodes.reduce((most, { minLength = 0 }) => Math.max(most, minLength), 0)
    const most = nodes.reduce((least, { maxLength = Infinity }) => Math.min(least, maxLength), Infinity)
    if (least > most) return undefined
    const parts = new Map(nodes.flatMap((node) => this.partsOf(node, strict)))
    const { pool, effort } = this
    return this.made(JSON.stringify(['string', least, String(most), ...[...parts.keys()].sort()]), () => {
      const texts = [...parts.values()].map((make) => make())
      const [first, ...more] = texts.filter((one) => one !== 'ignored')
      if (texts.every((one) => one === 'ignored')) return textOfLength(least, most, pool)
      return attempt(nodes, () => {
        const all = more.reduce((both, one) => both && one && intersect(both, one, effort), first)
        return all && withLength(all, least, most, { pool, effort })
      })
    })
  }

  /** What a node says of texts beside their length, each part by a name of its own. */
  private partsOf(node: SchemaNode, strict: boolean): [string, () => TextState | undefined | 'ignored'][] {
    const { pattern, format } = node
    const parts: [string, () => TextState | undefined | 'ignored'][] = []
    if (pattern !== undefined) parts.push([`/${pattern}`, () => this.pattern(pattern, node, strict)])
    if (format === undefined) return parts
    if (formatNames.includes(format)) parts.push([format, () => textsOfFormat(format)])
    else if (strict) {
      const list = formatNames.join(', ')
      throw new Refusal(node.pointer, `has the format "${format}", which is not supported (${list} are)`)
    }
    return parts
  }

  private pattern(pattern: string, node: SchemaNode, strict: boolean): TextState | undefined | 'ignored' {
    try {
      return this.made(JSON.stringify(['pattern', pattern]), () => matching(pattern, this.effort))
    } catch (error) {
      if (!(error instanceof PatternError || error instanceof TooComplex)) throw error
      if (!strict && error instanceof PatternError) return 'ignored'
      throw new Refusal(node.pointer, `has the pattern ${JSON.stringify(pattern)}, which ${error.message}`)
    }
  }

  private made(name: string, make: () => TextState | undefined): TextState | undefined {
    if (!this.texts.has(name)) this.texts.set(name, make())
    return this.texts.get(name)
  }

  private lexeme(kind: Lexeme['kind'], texts: TextState): Lexeme {
    const known = this.lexemes.get(texts) ?? { kind, texts }
    this.lexemes.set(texts, known)
    return known
  }
}

/** Runs what may find a schema too complex, or a bound out of reach. */
function attempt<T>(nodes: readonly SchemaNode[], make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TooComplex || error instanceof RangeError)) throw error
    const pointer = nodes[0]?.pointer ?? '#'
    throw new Refusal(pointer, `has constraints that can not be followed together: ${error.message}`)
  }
}

function boundsOf(nodes: readonly SchemaNode[], integer: boolean): NumberBounds {
  let [least, most, above, below] = [-Infinity, Infinity, false, false]
  for (const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum } of nodes) {
    if (minimum > least) [least, above] = [minimum, false]
    if (maximum < most) [most, below] = [maximum, false]
    if (exclusiveMinimum !== undefined && exclusiveMinimum >= least) [least, above] = [exclusiveMinimum, true]
    if (exclusiveMaximum !== undefined && exclusiveMaximum <= most) [most, below] = [exclusiveMaximum, true]
  }
  const multiplesOf = [...new Set(nodes.flatMap(({ multipleOf }) => multipleOf ?? []))]
  return { integer, least, most, above, below, multiplesOf }
}
