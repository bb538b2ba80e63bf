/** The names and sizes of what crosses the border of the family's one graph, for both halves. */
import type { StateTensor } from '../../runtime/session.js'
import type { LlamaConfig } from './config.js'

export const decoder = {
  graph: 'decoder',
  /** The name of the size S. */
  rows: 'rows',
  /** int64 [batch, rows]: the next S tokens of every sequence; on ONNX Runtime several are of one sequence only. */
  tokens: 'tokens',
  /** int64 [batch]: how many rows of its state count. */
  pastLength: 'past_length',
  /** int64 [wanted]: the rows (0 … batch · rows − 1) whose logits are wanted. */
  logitRows: 'logit_rows',
  /** float32 [wanted, vocabulary]. */
  logits: 'logits',
  /** TensorRT only: the largest logits of every row and whose they are, int64 and float32 [wanted, 64], and */
  topIds: 'top_ids',
  topLogits: 'top_logits',
  /** float32 [wanted]: ln Σ exp of all. */
  logSumExp: 'log_sum_exp',
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

/** Bytes of state that one token takes, of numbers of `bytes` each. */
export function bytesPerRow({ layers, kvHeads, headDim }: LlamaConfig, bytes: number): number {
  return layers * 2 * kvHeads * headDim * bytes
}
