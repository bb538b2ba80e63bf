/** Llama engines for the tests of this folder, and the ways to run them. */
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { LinearForm } from '#src/graph/graph.js'
import { decoder } from '#src/models/llama/bindings.js'
import { planLlama } from '#src/models/llama/build.js'
import type { ModelContext } from '#src/models/model.js'
import { type CpuPrecision, onCpu } from '#src/models/plan.js'
import { type Fetches, floats, int64, type Session } from '#src/runtime/session.js'
import { checkpoint } from '../../root.js'
import { writeEngine } from '../engine.js'

export { newFolder } from '../engine.js'

export const smollm2 = checkpoint('smollm2-135m-instruct')

/**
 * Builds the engine of a checkpoint's folder, in another form if named; `observed.…` are its hidden states, if
 * wanted.
 */
export function buildEngine(
  source: string,
  precision: CpuPrecision,
  { observed = false, linear }: { observed?: boolean; linear?: LinearForm } = {},
): ModelContext {
  using weights = openCheckpoint(source)
  const plan = planLlama(source, weights, onCpu(precision), {
    ...(linear && { linear }),
    observe: (name, value) => {
      if (observed) value.graph.output(`observed.${name}`, value, ['S', 'hidden'])
    },
  })
  return writeEngine('llama', plan, source)
}

let made8: ModelContext | undefined
/** SmolLM2 as it is served, built once. */
export function servedEngine(): ModelContext {
  made8 ??= buildEngine(smollm2, 'int8')
  return made8
}

/** Runs tokens behind `past` others, asking for the logits of `rows`. */
export function run(
  session: Session,
  tokens: readonly number[],
  past: number,
  rows: readonly number[],
  outputs: readonly string[] = [decoder.logits],
): Promise<Fetches> {
  const feeds = {
    [decoder.tokens]: int64(tokens, [1, tokens.length]),
    [decoder.pastLength]: int64([past]),
    [decoder.logitRows]: int64(rows),
  }
  return session.run(feeds, [{ slot: 0, past }], outputs)
}

/** As the service runs a conversation: the prompt in pieces of 128, then token by token; the logits of every step. */
export async function served(
  session: Session,
  prompt: readonly number[],
  reply: readonly number[],
): Promise<Float32Array[]> {
  const logits = [await inPieces(session, prompt)]
  for (const [i, token] of reply.slice(0, -1).entries())
    logits.push(floats(await run(session, [token], prompt.length + i, [0]), decoder.logits))
  session.release(0)
  return logits
}

/** The same with the whole reply in one run. */
export async function forced(
  session: Session,
  prompt: readonly number[],
  reply: readonly number[],
): Promise<Float32Array[]> {
  const first = await inPieces(session, prompt)
  const input = reply.slice(0, -1)
  const all = floats(await run(session, input, prompt.length, [...input.keys()]), decoder.logits)
  session.release(0)
  return [first, ...input.map((_, i) => all.slice(i * first.length, (i + 1) * first.length))]
}

async function inPieces(session: Session, prompt: readonly number[]): Promise<Float32Array> {
  for (let past = 0; ; past += 128) {
    const piece = prompt.slice(past, past + 128)
    const fetches = await run(session, piece, past, [piece.length - 1])
    if (past + 128 >= prompt.length) return floats(fetches, decoder.logits)
  }
}
