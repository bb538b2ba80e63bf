/** The reference's numbers; test/golden/smollm2/README.md says how they were made. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { logSumExp } from '#src/decoding/sampler.js'
import type { ChatMessage } from '#src/models/llama/request.js'
import { root } from '../../root.js'

const folder = join(root, 'test', 'golden', 'smollm2')

export interface GoldenChat {
  readonly name: string
  readonly messages: readonly ChatMessage[]
  readonly prompt: string
  readonly prompt_ids: readonly number[]
  readonly greedy_ids: readonly number[]
  readonly greedy_text: string
  readonly eos_index: number | null
  readonly margins: readonly number[]
  readonly top10_ids: readonly (readonly number[])[]
  readonly top10_logits: readonly (readonly number[])[]
  readonly top10_logprobs: readonly (readonly number[])[]
}

export const chats: readonly GoldenChat[] = JSON.parse(
  readFileSync(join(folder, 'golden.json'), 'utf8'),
).chats

const tensors = openCheckpoint(join(folder, 'golden.safetensors'))
/** `hidden_0`, `logits_step0` … of a chat. */
export const numbers = (chat: GoldenChat, what: string): Float32Array =>
  tensors.tensor(`${chat.name}.${what}`).floats()

export function largestDifference(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) throw new Error(`${actual.length} values instead of ${wanted.length}`)
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - wanted[i]!)), 0)
}

/** Divergence of `other` from `exact`, both logits, in nats. */
export function kullbackLeibler(exact: Float32Array, other: Float32Array): number {
  const [p, q] = [logSumExp(exact), logSumExp(other)]
  return exact.reduce((sum, logit, i) => sum + Math.exp(logit - p) * (logit - p - (other[i]! - q)), 0)
}
