/** What the grammar of a request's replies is made of: what they may call, and what they must be. */
import type { Grammar } from '../../grammar/grammar.js'
import type { Grammars } from '../../grammar/grammars.js'
import type { CallConvention, Shape } from '../../grammar/shape.js'
import type { GenerateRequest, Tool } from './request.js'

/** The tools of which the model is told: none where it must not call any. */
export const toolsOf = ({ tools = [], toolChoice }: GenerateRequest): readonly Tool[] =>
  toolChoice === 'none' ? [] : tools

/**
 * Begins the constraint of a reply; undefined where there is none. Where a reply may call functions or else has a form,
 * it is one of the two, and its beginning decides.
 * @param tools those that may be called
 * @param parallel whether the convention has several calls in a reply
 */
export function constraintOf(
  { format, toolChoice = 'auto', parallelToolCalls = true }: GenerateRequest,
  tools: readonly Tool[],
  convention: CallConvention,
  parallel: boolean,
  grammars: Grammars,
): (() => Constraint) | undefined {
  const compiled = (shape: Shape) => {
    const grammar = grammars.compile(shape)
    return () => grammar.begin()
  }
  if (tools.length === 0 || toolChoice === 'none') return format && compiled(format)
  const calls = { kind: 'calls', convention, tools, parallel: parallel && parallelToolCalls } as const
  if (!format || toolChoice !== 'auto') return compiled({ ...calls, choice: toolChoice })
  const [form, call] = [compiled(format), compiled({ ...calls, choice: 'required' })]
  return () => new Either([form(), call()])
}

/** One reply's place in its grammar. */
export type Constraint = Pick<ReturnType<Grammar['begin']>, 'mask' | 'accept'>

/** What any of several constraints allows, as long as it has allowed all tokens so far. */
class Either implements Constraint {
  #left: { readonly constraint: Constraint; row: Float32Array }[]

  constructor(constraints: readonly Constraint[]) {
    this.#left = constraints.map((constraint) => ({ constraint, row: new Float32Array(0) }))
  }

  mask(logits: Float32Array): void {
    if (this.#left.length === 1) {
      this.#left[0]!.constraint.mask(logits)
      return
    }
    for (const one of this.#left) {
      one.row = logits.slice()
      one.constraint.mask(one.row)
    }
    const [first, ...others] = this.#left.map(({ row }) => row)
    logits.set(first!)
    for (const row of others)
      for (let token = 0; token < logits.length; token++)
        if (row[token]! > logits[token]!) logits[token] = row[token]!
  }

  accept(token: number): void {
    if (this.#left.length > 1) this.#left = this.#left.filter(({ row }) => row[token] !== -Infinity)
    for (const { constraint } of this.#left) constraint.accept(token)
  }
}
