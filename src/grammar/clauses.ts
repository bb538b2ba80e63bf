/** References, allOf, anyOf and oneOf resolved: a schema as a choice between lists of subschemas that all hold. */
import { Refusal } from './refusal.js'
import { type SchemaNode, type TypeName, typeNames, Values } from './schema-node.js'
import type { Effort } from './text-automaton.js'

/** One way to satisfy a schema: the keywords of each node hold, but for those that this file resolves. */
export interface Clause {
  readonly nodes: readonly SchemaNode[]
  /** Which branch of a node's oneOf this is. */
  readonly branches: ReadonlyMap<SchemaNode, number>
}

const mostClauses = 128
/** Subschemas that hold at once. */
const mostTogether = 256
const mostReferences = 100
const anything: Clause = { nodes: [], branches: new Map() }

/** The ways to satisfy all of these nodes; none if there is no way. */
export function clausesOf(nodes: readonly SchemaNode[]): readonly Clause[] {
  return nodes.reduce<readonly Clause[]>((all, node) => both(all, expanded(node, []), node), [anything])
}

/** What was found out of a node: schemas that refer to one from many places would be gone through for each. */
const found = new WeakMap<SchemaNode, readonly Clause[]>()

function expanded(node: SchemaNode, path: readonly SchemaNode[]): readonly Clause[] {
  const known = found.get(node)
  if (known) return known
  if (path.includes(node)) throw new Refusal(node.pointer, 'refers to itself with no value in between')
  if (path.length > mostReferences) throw new Refusal(node.pointer, 'is behind too many references')
  if (node.never) return []
  const here = [...path, node]
  let clauses: readonly Clause[] = [{ nodes: isAnything(node) ? [] : [node], branches: new Map() }]
  if (node.ref) clauses = both(clauses, expanded(node.ref(), here), node)
  for (const part of node.allOf) clauses = both(clauses, expanded(part, here), node)
  if (node.anyOf.length > 0) {
    const branches = node.anyOf.flatMap((branch) => expanded(branch, here))
    clauses = both(clauses, branches, node)
  }
  if (node.oneOf.length > 0) {
    const branches = node.oneOf.flatMap((branch, index) =>
      expanded(branch, here).map((clause) => ({
        ...clause,
        branches: new Map([...clause.branches, [node, index]]),
      })),
    )
    clauses = both(clauses, branches, node)
  }
  found.set(node, clauses)
  return clauses
}

function both(a: readonly Clause[], b: readonly Clause[], { pointer }: SchemaNode): readonly Clause[] {
  if (b.length === 1 && b[0]!.nodes.length === 0 && b[0]!.branches.size === 0) return a
  if (a.length * b.length > mostClauses)
    throw new Refusal(pointer, `has more than ${mostClauses} combinations of alternatives`)
  return a.flatMap((left) =>
    b.map((right) => {
      const nodes = [...new Set([...left.nodes, ...right.nodes])]
      if (nodes.length > mostTogether)
        throw new Refusal(pointer, `has more than ${mostTogether} subschemas that hold together`)
      return { nodes, branches: new Map([...left.branches, ...right.branches]) }
    }),
  )
}

/** Whether the node's own keywords (other than those resolved here) ask for nothing. */
function isAnything(node: SchemaNode): boolean {
  const { properties, required, prefixItems } = node
  if (properties.size > 0 || required.length > 0 || prefixItems.length > 0) return false
  return single.every((keyword) => node[keyword] === undefined)
}

// biome-ignore format: a list
const single = [
  'types', 'values', 'minLength', 'maxLength', 'pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum',
  'exclusiveMaximum', 'multipleOf', 'additionalProperties', 'items', 'minItems', 'maxItems',
] as const satisfies readonly (keyof SchemaNode)[]

/** The types that a clause leaves; without `integer` where all numbers are. */
export function typesOf({ nodes }: Clause): ReadonlySet<TypeName> {
  const types = new Set<TypeName>(typeNames)
  for (const node of nodes) {
    if (!node.types) continue
    const own = new Set(node.types)
    if (own.has('number')) own.add('integer')
    for (const type of types) if (!own.has(type)) types.delete(type)
  }
  if (types.has('number')) types.delete('integer')
  return types
}

/** The values that enum and const leave; undefined if there is none of them. @throws TooComplex */
export function valuesOf({ nodes }: Clause, effort: Effort): Values | undefined {
  return nodes
    .flatMap(({ values }) => values ?? [])
    .reduce<Values | undefined>((all, values) => all?.and(values, effort) ?? values, undefined)
}

/**
 * Refuses a oneOf of which a value could satisfy two branches: it asks for exactly one, which only the writing of the
 * whole value would show.
 * @throws TooComplex
 */
export function refuseOverlaps(clauses: readonly Clause[], effort: Effort): void {
  for (const [index, a] of clauses.entries())
    for (const b of clauses.slice(0, index))
      for (const [node, branch] of a.branches) {
        const other = b.branches.get(node)
        if (other === undefined || other === branch || areDisjoint(a, b, effort)) continue
        const which = `${Math.min(branch, other)} and ${Math.max(branch, other)}`
        throw new Refusal(
          node.pointer,
          `has the keyword "oneOf", which is supported where a type or a required property with other constants ` +
            `tells its branches apart, but ${which} may both hold: use anyOf`,
        )
      }
}

function areDisjoint(a: Clause, b: Clause, effort: Effort): boolean {
  const names = ({ nodes }: Clause) => nodes.reduce((sum, { required }) => sum + required.length, 0)
  effort.spend(20 + names(a) * (1 + b.nodes.length) + names(b) * (1 + a.nodes.length))
  if (haveOthers(valuesOf(a, effort), valuesOf(b, effort), effort)) return true
  const types = typesOf(b)
  const shared = [...typesOf(a)].filter(
    (type) =>
      types.has(type) ||
      (type === 'integer' && types.has('number')) ||
      (type === 'number' && types.has('integer')),
  )
  if (shared.some((type) => type !== 'object')) return false
  if (shared.length === 0) return true
  const required = (clause: Clause) => new Set(clause.nodes.flatMap((node) => node.required))
  const [ofA, ofB] = [required(a), required(b)]
  if ([...ofA].some((name) => isForbidden(b, name)) || [...ofB].some((name) => isForbidden(a, name)))
    return true
  return [...ofA].some(
    (name) =>
      ofB.has(name) && haveOthers(propertyValues(a, name, effort), propertyValues(b, name, effort), effort),
  )
}

const isForbidden = ({ nodes }: Clause, name: string): boolean =>
  nodes.some(({ properties, additionalProperties }) => !properties.has(name) && additionalProperties?.never)

const haveOthers = (a: Values | undefined, b: Values | undefined, effort: Effort): boolean =>
  a !== undefined && b !== undefined && a.and(b, effort).list.length === 0

/** The values that a property can have; undefined if there is no end of them. */
function propertyValues({ nodes }: Clause, name: string, effort: Effort): Values | undefined {
  const declared = nodes.flatMap(({ properties }) => properties.get(name) ?? [])
  const lists = clausesOf(declared).map((clause) => valuesOf(clause, effort))
  if (lists.includes(undefined)) return undefined
  effort.spend(10 + lists.reduce((sum, values) => sum + (values?.characters ?? 0), 0))
  return new Values(lists.flatMap((values) => values?.list ?? []))
}
