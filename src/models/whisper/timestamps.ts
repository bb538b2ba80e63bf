import type { LogitRule } from '../../decoding/rules.js'
import { logSumExp } from '../../decoding/sampler.js'
import type { SpecialTokens } from './tokens.js'

/** The first timestamp is at most this many steps of 0.02 s: 1 s. */
const MOST_INITIAL_STEPS = 50

/**
 * Keeps timestamps in order: one at the begin, then text between a timestamp that opens and one that closes, each
 * later than the one before, where a closing one may be repeated to open the next piece at the same time. Where all
 * timestamps together are likelier than the likeliest text, one of them is next.
 * openai/whisper, decoding.py, ApplyTimestampRules.
 */
export function timestampRules(special: SpecialTokens): LogitRule {
  const { noTimestamps, firstTimestamp, endOfText } = special
  const isTimestamp = (token: number | undefined) => token !== undefined && token >= firstTimestamp
  return (logits, tokens) => {
    logits[noTimestamps] = -Infinity
    if (tokens.length === 0) {
      logits.fill(-Infinity, 0, firstTimestamp)
      logits.fill(-Infinity, firstTimestamp + MOST_INITIAL_STEPS + 1)
      return
    }
    const closing = isTimestamp(tokens.at(-1))
    const open = tokens.length < 2 || isTimestamp(tokens.at(-2))
    if (closing && open) logits.fill(-Infinity, firstTimestamp)
    if (closing && !open) logits.fill(-Infinity, 0, endOfText)
    const latest = tokens.findLast(isTimestamp)
    if (latest !== undefined) logits.fill(-Infinity, firstTimestamp, closing && !open ? latest : latest + 1)

    if (logSumExp(logits, firstTimestamp) > largest(logits, firstTimestamp))
      logits.fill(-Infinity, 0, firstTimestamp)
  }
}

function largest(logits: Float32Array, end: number): number {
  let top = -Infinity
  for (let id = 0; id < end; id++) if (logits[id]! > top) top = logits[id]!
  return top
}
