/** What the grammar of a request's replies is made of: what they may call, and what they must be. */
import type { Grammar } from '../../grammar/grammar.js'
import type { CallConvention } from '../../grammar/shape.js'
import type { PreparedGrammars } from './prepared-grammars.js'
import type { GenerateRequest, Tool } from './request.js'

/** The tools of which the model is told: none where it must not call any. */
export const toolsOf = ({ tools = [], toolChoice }: GenerateRequest): readonly Tool[] =>
  toolChoice === 'none' ? [] : tools

/**
 * Begins the constraint of a reply; undefined where there is none. Where a reply may call functions or else has a form,
 * it is one of the two, and its beginning decides.
 * @param tools those that may be called
 * @param way how calls are written, and whether a reply may have several
 * @throws ServiceError for a schema that can not be followed; the signal's reason
 */
export async function constraintOf(
  { format, toolChoice = 'auto', parallelToolCalls = true }: GenerateRequest,
  tools: readonly Tool[],
  way: { readonly convention: CallConvention; readonly parallel: boolean },
  grammars: Pick<PreparedGrammars, 'of'>,
  signal: AbortSignal,
): Promise<(() => Constraint) | undefined> {
  if (tools.length === 0 || toolChoice === 'none') {
    const grammar = format && (await grammars.of(format, signal))
    return grammar && (() => grammar.begin())
  }
  const calls = {
    kind: 'calls',
    convention: way.convention,
    // What they are for is nothing that a grammar knows.
    tools: tools.map(({ description: _, ...tool }) => tool),
    parallel: way.parallel && parallelToolCalls,
  } as const
  if (!format || toolChoice !== 'auto') {
    const grammar = await grammars.of({ ...calls, choice: toolChoice }, signal)
    return () => grammar.begin()
  }
  const both = await Promise.all([
    grammars.of(format, signal),
    grammars.of({ ...calls, choice: 'required' }, signal),
  ])
  return () => new Either(both.map((grammar) => grammar.begin()))
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
