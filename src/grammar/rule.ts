/** A JSON value's grammar, before it is drawn: the ways to write it. */
import type { Lexeme } from './lexemes.js'

export interface Property<R> {
  readonly name: string
  readonly value: R
  readonly isRequired: boolean
}

/** @typeParam R how a rule is named; L: how a string or a number is */
export type Alternative<R, L> =
  /** One of these values. */
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  /** A string or a number. */
  | { readonly kind: 'lexeme'; readonly lexeme: L }
  | {
      readonly kind: 'object'
      readonly properties: readonly Property<R>[]
      /** Values and keys of further properties; undefined: there are none. */
      readonly additional: { readonly key: L; readonly value: R } | undefined
    }
  | {
      readonly kind: 'array'
      readonly prefix: readonly R[]
      /** Behind the prefix. */
      readonly items: R
      readonly least: number
      readonly most: number
    }

/** What a schema leaves of a value. */
export class Rule {
  alternatives: readonly Alternative<Rule, Lexeme>[] = []
  /** Whether any value can be written at all; known when all rules are. */
  isProductive = false
}

/** The same alternative, rules and lexemes named otherwise. */
export function renamed<R, L, S, M>(
  alternative: Alternative<R, L>,
  rule: (rule: R) => S,
  lexeme: (lexeme: L) => M,
): Alternative<S, M> {
  switch (alternative.kind) {
    case 'values':
      return alternative
    case 'lexeme':
      return { kind: 'lexeme', lexeme: lexeme(alternative.lexeme) }
    case 'object': {
      const { properties, additional } = alternative
      return {
        kind: 'object',
        properties: properties.map((property) => ({ ...property, value: rule(property.value) })),
        additional: additional && { key: lexeme(additional.key), value: rule(additional.value) },
      }
    }
    case 'array':
      return { ...alternative, prefix: alternative.prefix.map(rule), items: rule(alternative.items) }
  }
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

/** What of a rule can come to its end. */
export function productiveOf({ alternatives }: Rule): readonly Alternative<Rule, Lexeme>[] {
  return alternatives.filter(isProductive).map((alternative) => {
    if (alternative.kind === 'array') return { ...alternative, most: mostItems(alternative) }
    if (alternative.kind !== 'object') return alternative
    const { properties, additional } = alternative
    return {
      kind: 'object',
      properties: properties.filter(({ value }) => value.isProductive),
      additional: additional?.value.isProductive ? additional : undefined,
    }
  })
}

function isProductive(alternative: Alternative<Rule, Lexeme>): boolean {
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
function mostItems({ prefix, items, most }: Extract<Alternative<Rule, Lexeme>, { kind: 'array' }>): number {
  const first = prefix.findIndex((rule) => !rule.isProductive)
  if (first >= 0) return Math.min(most, first)
  return items.isProductive ? most : Math.min(most, prefix.length)
}
