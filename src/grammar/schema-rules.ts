/** JSON Schema → rules: for every list of subschemas that must hold at one place, the ways to write a value there. */
import { type Clause, clausesOf, refuseOverlaps, typesOf, valuesOf } from './clauses.js'
import type { Lexeme, Lexemes } from './lexemes.js'
import { Refusal } from './refusal.js'
import { type Alternative as AlternativeOf, markProductive, type Property, Rule } from './rule.js'
import { isOfType, satisfies } from './satisfies.js'
import { type SchemaNode, SchemaReader } from './schema-node.js'
import type { JsonSchema } from './shape.js'
import { TooComplex } from './text-automaton.js'

type Alternative = AlternativeOf<Rule, Lexeme>

/** How deep values without a schema nest. */
const freeDepth = 32
const mostRules = 5000

const anyObject = new SchemaReader({ type: 'object' }, true).first

/** The rule of a schema's values. Refusal if the schema can not be followed, or nothing satisfies it. */
export function schemaRule(schema: JsonSchema, lexemes: Lexemes): Rule {
  return ruleOf([new SchemaReader(schema, true).first], true, lexemes)
}

/** The rule of the objects that satisfy a schema. Not strict: what can not be followed is left out of account. */
export function objectRule(schema: JsonSchema, strict: boolean, lexemes: Lexemes): Rule {
  return ruleOf([new SchemaReader(schema, strict).first, anyObject], strict, lexemes)
}

function ruleOf(nodes: readonly SchemaNode[], strict: boolean, lexemes: Lexemes): Rule {
  const rules = new SchemaRules(strict, lexemes)
  const rule = rules.of(nodes)
  try {
    rules.finish()
  } catch (error) {
    throw error instanceof TooComplex ? new Refusal('#', 'is too complex') : error
  }
  if (!rule.isProductive) throw new Refusal('#', 'is satisfied by no value')
  return rule
}

class SchemaRules {
  private readonly byName = new Map<string, Rule>()
  private readonly waiting: { readonly rule: Rule; fill(): readonly Alternative[] }[] = []

  constructor(
    private readonly strict: boolean,
    private readonly lexemes: Lexemes,
  ) {}

  /** The rule of values that satisfy all of these nodes; its alternatives come with {@link finish}. */
  of(nodes: readonly SchemaNode[]): Rule {
    const all = [...new Set(nodes)]
    const name = all
      .map(({ pointer }) => pointer)
      .sort()
      .join()
    return this.rule(name, () => this.alternatives(all), all[0]?.pointer)
  }

  finish(): void {
    for (const { rule, fill } of this.waiting) rule.alternatives = fill() // which adds more that wait
    markProductive(this.waiting.map(({ rule }) => rule))
  }

  private rule(name: string, fill: () => readonly Alternative[], pointer = '#'): Rule {
    const known = this.byName.get(name)
    if (known) return known
    if (this.waiting.length === mostRules)
      throw new Refusal(pointer, `is one of more than ${mostRules} subschemas that combine`)
    const rule = new Rule()
    this.byName.set(name, rule)
    this.waiting.push({ rule, fill })
    return rule
  }

  private alternatives(nodes: readonly SchemaNode[]): readonly Alternative[] {
    const clauses = clausesOf(nodes)
    const { effort } = this.lexemes
    effort.spend(30 * clauses.length)
    if (this.strict) refuseOverlaps(clauses, effort)
    return clauses.flatMap((clause) =>
      clause.nodes.length === 0 ? this.free(freeDepth) : this.ofClause(clause),
    )
  }

  private ofClause(clause: Clause): readonly Alternative[] {
    const { nodes } = clause
    const { lexemes } = this
    const types = typesOf(clause)
    const values = valuesOf(clause, lexemes.effort)
    if (values) {
      const textsOf = (node: SchemaNode) => lexemes.textsOf([node], this.strict)
      const left = values.list.filter(
        (value) =>
          [...types].some((type) => isOfType(value, type)) &&
          satisfies(value, nodes, { textsOf, effort: lexemes.effort }),
      )
      return [{ kind: 'values', values: left }]
    }
    const found: Alternative[] = []
    if (types.has('null')) found.push({ kind: 'values', values: [null] })
    if (types.has('boolean')) found.push({ kind: 'values', values: [true, false] })
    const ofLexeme = [
      types.has('string') ? lexemes.strings(nodes, this.strict) : undefined,
      types.has('number') || types.has('integer') ? lexemes.numbers(nodes, types.has('integer')) : undefined,
    ]
    for (const lexeme of ofLexeme) if (lexeme) found.push({ kind: 'lexeme', lexeme })
    if (types.has('object')) found.push(this.object(nodes))
    if (types.has('array')) found.push(this.array(nodes))
    return found
  }

  private object(nodes: readonly SchemaNode[]): Alternative {
    const required = new Set(nodes.flatMap((node) => node.required))
    const names = new Set([...nodes.flatMap((node) => [...node.properties.keys()]), ...required])
    this.lexemes.effort.spend(10 * names.size * nodes.length)
    const properties = [...names].map((name): Property<Rule> => {
      const parts = nodes.flatMap((node) => node.properties.get(name) ?? node.additionalProperties ?? [])
      return { name, value: this.of(parts), isRequired: required.has(name) }
    })
    const others = nodes.flatMap((node) => node.additionalProperties ?? [])
    if (others.some(({ never }) => never)) return { kind: 'object', properties, additional: undefined }
    const key = this.lexemes.otherKeys([...names])
    return { kind: 'object', properties, additional: { key, value: this.of(others) } }
  }

  private array(nodes: readonly SchemaNode[]): Alternative {
    const length = nodes.reduce((most, { prefixItems }) => Math.max(most, prefixItems.length), 0)
    this.lexemes.effort.spend(10 * length * nodes.length)
    const at = (index: number) =>
      this.of(nodes.flatMap((node) => node.prefixItems[index] ?? node.items ?? []))
    return {
      kind: 'array',
      prefix: Array.from({ length }, (_, index) => at(index)),
      items: at(length),
      least: nodes.reduce((most, { minItems = 0 }) => Math.max(most, minItems), 0),
      most: nodes.reduce((least, { maxItems = Infinity }) => Math.min(least, maxItems), Infinity),
    }
  }

  /** Values without a schema, nested up to `depth` deep. */
  private free(depth: number): readonly Alternative[] {
    const { lexemes } = this
    const scalars: readonly Alternative[] = [
      { kind: 'values', values: [null, true, false] },
      { kind: 'lexeme', lexeme: lexemes.string },
      { kind: 'lexeme', lexeme: lexemes.numbers([], false)! },
    ]
    if (depth === 0) return scalars
    const value = this.rule(`free ${depth - 1}`, () => this.free(depth - 1))
    return [
      ...scalars,
      { kind: 'object', properties: [], additional: { key: lexemes.otherKeys([]), value } },
      { kind: 'array', prefix: [], items: value, least: 0, most: Infinity },
    ]
  }
}
