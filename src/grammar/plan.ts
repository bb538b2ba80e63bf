/** A compiled grammar as data: what crosses from the thread that compiles to the one that writes. */
import type { Lexeme } from './lexemes.js'
import { type Alternative, productiveOf, type Rule, renamed } from './rule.js'
import type { CallConvention } from './shape.js'
import type { TextState } from './text-automaton.js'
import { Counted, Measured, type MeasuredTexts } from './text-length.js'
import { bytesOf, type TextTable, tableOf } from './text-table.js'

export type TextPlan =
  | { readonly kind: 'table'; readonly table: TextTable }
  | { readonly kind: 'length'; readonly least: number; readonly most: number }
  | ({ readonly kind: 'measured' } & MeasuredTexts)

/** How a rule is that other rules name by its place: those of its forms that can come to their end. */
export type RulePlan = readonly Alternative<number, number>[]

export interface GrammarPlan {
  /** The first is what the reply is, or the object of a call. */
  readonly rules: readonly RulePlan[]
  readonly lexemes: readonly { readonly kind: Lexeme['kind']; readonly texts: TextPlan }[]
  /** Where the reply makes calls, or may. */
  readonly calls?: CallsPlan
  /** What it takes when it is used to its end, roughly. */
  readonly bytes: number
}

export interface CallsPlan {
  readonly convention: CallConvention
  /** Whether the reply may be text instead, or before the calls. */
  readonly isAuto: boolean
  /** Whether more than one call may be made. */
  readonly parallel: boolean
}

/** @param characters of the shape as JSON text */
export function planOf(root: Rule, characters: number, calls?: CallsPlan): GrammarPlan {
  const rules = new Map<Rule, number>([[root, 0]])
  const lexemes = new Map<Lexeme, number>()
  const placeIn =
    <T>(all: Map<T, number>) =>
    (one: T): number => {
      const known = all.get(one)
      if (known === undefined) all.set(one, all.size)
      return known ?? all.size - 1
    }
  const [ruleAt, lexemeAt] = [placeIn(rules), placeIn(lexemes)]
  // A map's loop sees what is added.
  const plans: RulePlan[] = []
  for (const rule of rules.keys())
    plans.push(productiveOf(rule).map((alternative) => renamed(alternative, ruleAt, lexemeAt)))
  const texts = [...lexemes.keys()].map(({ kind, texts }) => ({ kind, texts: textsOf(texts) }))
  return {
    rules: plans,
    lexemes: texts,
    ...(calls && { calls }),
    bytes: 20_000 + 60 * characters + texts.reduce((sum, lexeme) => sum + bytesUsed(lexeme.texts), 0),
  }
}

function textsOf(texts: TextState): TextPlan {
  if (texts instanceof Counted) {
    const { least, most } = texts.lengths
    return { kind: 'length', least, most }
  }
  if (texts instanceof Measured) return { kind: 'measured', ...texts.bounds.texts }
  return { kind: 'table', table: tableOf(texts) }
}

/** A table's states are objects when they have been come to: as measured with large schemas. */
function bytesUsed(texts: TextPlan): number {
  if (texts.kind === 'length') return 0
  return 8 * bytesOf(texts.table) + (texts.kind === 'measured' ? texts.ends.byteLength : 0)
}
