/** The family's graph for TensorRT on a CPU, and the ways that it is run in. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { bytesPerRow, decoder } from '#src/models/llama/bindings.js'
import { planLlama } from '#src/models/llama/build.js'
import { readLlamaConfig } from '#src/models/llama/config.js'
import type { PlannedGraph, Precision } from '#src/models/plan.js'
import { type Fetches, floats, int64, type Session } from '#src/runtime/session.js'
import { openPortable, type PortableSession } from '../../graph/portable-session.js'
import { largestDifference } from './golden.js'
import { sequences } from './tiny.js'

export interface Sizes {
  slots: number
  stateRows: number
  observed?: boolean
}

/**
 * Hands `use` the planned engine of a checkpoint's folder, whose weights are at hand until it is done; `observed.…`
 * are its hidden states, if wanted.
 */
export async function withPlan<T>(
  source: string,
  precision: Precision,
  { slots, stateRows, observed = false }: Sizes,
  use: (planned: PlannedGraph) => T | Promise<T>,
): Promise<T> {
  using weights = openCheckpoint(source)
  const row = bytesPerRow(readLlamaConfig(source), precision === 'float32' ? 4 : 2)
  const options = { target: 'tensorrt', precision, slots, stateBytes: slots * stateRows * row } as const
  const { graphs } = planLlama(source, weights, options, {
    observe: (name, value) => {
      if (observed)
        value.graph.output(`observed.${name}`, value.graph.cast(value, 'float32'), ['S', 'hidden'])
    },
  })
  return await use(graphs[0]!)
}

/** Opens it, rounded to the halves that it has. */
export const openTensorrt = (source: string, precision: Precision, sizes: Sizes): Promise<PortableSession> =>
  withPlan(source, precision, sizes, (planned) => openPortable(planned, { rounding: true }))

/** The next tokens of sequences in slots from `first` on, behind `pasts`; the logits behind each one's last. */
export function step(
  session: Session,
  tokens: readonly (readonly number[])[],
  pasts: readonly number[],
  first = 0,
  outputs: readonly string[] = [decoder.logits],
): Promise<Fetches> {
  const S = tokens[0]!.length
  const feeds = {
    [decoder.tokens]: int64(tokens.flat(), [tokens.length, S]),
    [decoder.pastLength]: int64(pasts),
    [decoder.logitRows]: int64(tokens.map((_, i) => (i + 1) * S - 1)),
  }
  const uses = pasts.map((past, i) => ({ slot: first + i, past }))
  return session.run(feeds, uses, outputs)
}

/** Runs a prompt in pieces; the logits behind its last token. */
export async function prefill(
  session: Session,
  prompt: readonly number[],
  slot: number,
  rows: number,
): Promise<Float32Array> {
  for (let past = 0; ; past += rows) {
    const fetches = await step(session, [prompt.slice(past, past + rows)], [past], slot)
    if (past + rows >= prompt.length) return floats(fetches, decoder.logits)
  }
}

/** As a scheduler would: prompts one by one, then a token of each per step. The logits of every step, by sequence. */
export async function continuous(
  session: Session,
  sequences: readonly { prompt: readonly number[]; reply: readonly number[] }[],
  { steps, rows = 512 }: { steps: number; rows?: number },
): Promise<Float32Array[][]> {
  const logits: Float32Array[][] = []
  for (const [slot, { prompt }] of sequences.entries())
    logits.push([await prefill(session, prompt, slot, rows)])
  for (let i = 0; i < steps - 1; i++) {
    const tokens = sequences.map(({ reply }) => [reply[i]!])
    const all = floats(
      await step(
        session,
        tokens,
        sequences.map(({ prompt }) => prompt.length + i),
      ),
      decoder.logits,
    )
    const width = all.length / sequences.length
    for (const [slot, rows] of logits.entries()) rows.push(all.slice(slot * width, (slot + 1) * width))
  }
  return logits
}

/** Several sequences that are run together get within 1e-5 of the logits that each gets alone, for a prompt and 5 steps. */
export async function assertEachAsAlone(session: Session): Promise<void> {
  const together = await continuous(session, sequences, { steps: 6 })
  for (const [i, sequence] of sequences.entries()) {
    for (const slot of [0, 1, 2]) session.release(slot)
    const [alone] = await continuous(session, [sequence], { steps: 6 })
    for (const [k, logits] of alone!.entries())
      assert.ok(largestDifference(together[i]![k]!, logits) < 1e-5, `sequence ${i}, step ${k}`)
  }
}
