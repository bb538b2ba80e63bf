/** The names and sizes of what crosses the border of the family's one graph, for both halves. */
import type { StateTensor } from '../../runtime/session.js'
import type { LlamaConfig } from './config.js'

export const decoder = {
  graph: 'decoder',
  /** int64 [1, S]: the next S tokens of the sequence. */
  tokens: 'tokens',
  /** int64 [1]: how many rows of the state count. */
  pastLength: 'past_length',
  /** int64 [R]: the rows (0 … S-1) whose logits are wanted. */
  logitRows: 'logit_rows',
  /** float32 [R, vocabulary]. */
  logits: 'logits',
} as const

/** Keys (rotated) and values of every layer, layer by layer. */
export function decoderState({ layers, kvHeads, headDim }: LlamaConfig): StateTensor[] {
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    ['key', 'value'].map((kind) => ({
      past: `past.${layer}.${kind}`,
      fresh: `fresh.${layer}.${kind}`,
      heads: kvHeads,
      width: headDim,
    })),
  )
}

/** Bytes of state that one token takes. */
export function bytesPerRow({ layers, kvHeads, headDim }: LlamaConfig): number {
  return layers * 2 * kvHeads * headDim * Float32Array.BYTES_PER_ELEMENT
}
