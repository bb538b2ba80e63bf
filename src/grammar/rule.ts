/** A JSON value's grammar, before it is drawn: the ways to write it. */
import type { Pool } from './pool.js'
import type { Callee, State } from './state.js'
import { type Node, structureState } from './structure.js'

export interface Property {
  readonly name: string
  readonly value: Rule
  readonly isRequired: boolean
}

export type Alternative =
  /** One of these values. */
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  /** A string or a number. */
  | { readonly kind: 'lexeme'; readonly lexeme: Callee }
  | {
      readonly kind: 'object'
      readonly properties: readonly Property[]
      /** Values and keys of further properties; undefined: there are none. */
      readonly additional: { readonly key: Callee; readonly value: Rule } | undefined
    }
  | {
      readonly kind: 'array'
      readonly prefix: readonly Rule[]
      /** Behind the prefix. */
      readonly items: Rule
      readonly least: number
      readonly most: number
    }

let rules = 0

export class Rule implements Callee {
  readonly level = 1
  private readonly id = ++rules
  alternatives: readonly Alternative[] = []
  /** Whether any value can be written at all; known when all rules are. */
  isProductive = false

  constructor(
    private readonly draw: (rule: Rule) => Node,
    private readonly pool: Pool,
  ) {}

  get start(): State {
    return structureState([this.pool.get(`r${this.id}`, () => new Drawing(this.draw(this))).root], this.pool)
  }
}

/** A rule's graph grows with the texts that are written, so it goes with all else that was worked out. */
class Drawing {
  constructor(readonly root: Node) {}

  forget(): void {}
}

/** Finds the rules by which a value can come to its end: least fixed point. */
export function markProductive(rules: readonly Rule[]): void {
  // Later rules are mostly parts of earlier ones.
  const backwards = rules.toReversed()
  for (let changed = true; changed; ) {
    changed = false
    for (const rule of backwards) {
      if (rule.isProductive || !rule.alternatives.some(isProductive)) continue
      rule.isProductive = true
      changed = true
    }
  }
}

export function isProductive(alternative: Alternative): boolean {
  switch (alternative.kind) {
    case 'values':
      return alternative.values.length > 0
    case 'lexeme':
      return true
    case 'object':
      return alternative.properties.every(({ isRequired, value }) => !isRequired || value.isProductive)
    case 'array':
      return alternative.least <= mostItems(alternative)
  }
}

/** How many items an array can have. */
export function mostItems({ prefix, items, most }: Extract<Alternative, { kind: 'array' }>): number {
  const first = prefix.findIndex((rule) => !rule.isProductive)
  if (first >= 0) return Math.min(most, first)
  return items.isProductive ? most : Math.min(most, prefix.length)
}
