/** The end of a language model: what a sampler asks of the logits, found where they are. */
import type { Value } from './graph.js'
import { add, exp, log, reduceMax, reduceSum, squeeze, sub, topK } from './ops.js'

/** More than any sampler looks at; a draw from beyond takes the whole row. */
export const TOP = 64

export interface ScoreNames {
  readonly logits: string
  readonly topIds: string
  readonly topLogits: string
  readonly logSumExp: string
}

/**
 * Makes the outputs of logits [wanted, vocabulary]: all of them as float32 and, where fetching a whole row costs (not
 * on ONNX Runtime), the 64 largest, largest first, with their places and the logarithm of the sum of all exponentials:
 * float32 [wanted, 64], int64 [wanted, 64] and float32 [wanted].
 */
export function scoresOutput(logits: Value, vocabulary: number, names: ScoreNames): void {
  const g = logits.graph
  const exact = g.cast(logits, 'float32')
  g.output(names.logits, exact, ['wanted', vocabulary])
  if (g.target === 'onnxruntime') return
  const top = Math.min(TOP, vocabulary)
  const [values, places] = topK(exact, top)
  const largest = reduceMax(exact, [1]) // [wanted, 1]
  const sum = reduceSum(exp(sub(exact, largest)), [1], false) // [wanted]
  g.output(names.topIds, places, ['wanted', top])
  g.output(names.topLogits, values, ['wanted', top])
  g.output(names.logSumExp, add(log(sum), squeeze(largest, [1])), ['wanted'])
}
