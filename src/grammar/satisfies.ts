/** Whether a value that a schema lists (enum, const) satisfies what else the schema says. */
import { clausesOf } from './clauses.js'
import type { SchemaNode, TypeName } from './schema-node.js'
import { type Effort, moveOn, type TextState } from './text-automaton.js'

interface Judging {
  /** The automaton of a node's strings; undefined if there are none. */
  readonly textsOf: (node: SchemaNode) => TextState | undefined
  /** Alternatives within alternatives are as many as their product. */
  readonly effort: Effort
}

/** @throws TooComplex */
export function satisfies(value: unknown, nodes: readonly SchemaNode[], by: Judging): boolean {
  const { textsOf, effort } = by
  const all = (value: unknown, nodes: readonly SchemaNode[]) => satisfies(value, nodes, by)
  return clausesOf(nodes).some((clause) =>
    clause.nodes.every((node) => {
      effort.spend(10 + node.required.length)
      if (node.values && !node.values.has(value, effort)) return false
      if (node.types && !node.types.some((type) => isOfType(value, type))) return false
      if (typeof value === 'string') {
        effort.spend(value.length)
        return matches(value, textsOf(node))
      }
      if (typeof value === 'number') return isWithin(value, node)
      if (Array.isArray(value)) {
        const inBounds = value.length >= (node.minItems ?? 0) && value.length <= (node.maxItems ?? Infinity)
        return (
          inBounds && value.every((item, index) => all(item, listOf(node.prefixItems[index] ?? node.items)))
        )
      }
      if (typeof value !== 'object' || value === null) return true
      return (
        node.required.every((name) => Object.hasOwn(value, name)) &&
        Object.entries(value).every(([name, property]) =>
          all(property, listOf(node.properties.get(name) ?? node.additionalProperties)),
        )
      )
    }),
  )
}

const listOf = (node: SchemaNode | undefined): readonly SchemaNode[] => (node ? [node] : [])

export function isOfType(value: unknown, type: TypeName): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function matches(value: string, texts: TextState | undefined): boolean {
  let state = texts
  for (const character of value) state = state && moveOn(state, character.codePointAt(0)!)
  return state?.accepts ?? false
}

function isWithin(value: number, node: SchemaNode): boolean {
  return (
    value >= (node.minimum ?? -Infinity) &&
    value <= (node.maximum ?? Infinity) &&
    value > (node.exclusiveMinimum ?? -Infinity) &&
    value < (node.exclusiveMaximum ?? Infinity) &&
    (node.multipleOf === undefined || value % node.multipleOf === 0)
  )
}
