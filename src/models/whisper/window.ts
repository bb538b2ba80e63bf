/** The transcript of one window of 30 s: decoded greedily, and again with chance where that went wrong. */
import { deflateSync } from 'node:zlib'
import { decode } from '../../decoding/decode.js'
import { type LogitRule, suppress, suppressAtStart } from '../../decoding/rules.js'
import { logSoftmaxAt, Sampler } from '../../decoding/sampler.js'
import type { Tokenizer } from '../../text/tokenizer.js'
import type { Sequence } from './sequence.js'
import { timestampRules } from './timestamps.js'
import type { SpecialTokens } from './tokens.js'

/** Thresholds of openai/whisper's transcribe(). */
export const NO_SPEECH = 0.6
export const LEAST_LOGPROB = -1
const MOST_COMPRESSION = 2.4

/** Tried in this order until the result is acceptable. */
export const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1]

export interface WindowText {
  /** Sampled tokens with their timestamps, without the end of text. */
  readonly tokens: readonly number[]
  /** Mean over the tokens and the end of text, after the rules. */
  readonly avgLogprob: number
  /** Bytes of the text over its bytes when deflated: high for text that repeats itself. */
  readonly compressionRatio: number
  /** Probability of `<|nospeech|>` where the transcript begins, before the rules. */
  readonly noSpeechProb: number
  readonly temperature: number
}

export interface WindowOptions {
  /** Text before this window; as many of its last tokens as fit are taken. */
  readonly previous: readonly number[]
  /** Start of transcript and what follows it. */
  readonly start: readonly number[]
  readonly temperatures: readonly number[]
  /** The most tokens that a sequence can have, prompt included. */
  readonly positions: number
  readonly random: () => number
  readonly signal: AbortSignal
}

export class WindowDecoder {
  readonly #rules: readonly LogitRule[]

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly special: SpecialTokens,
  ) {
    this.#rules = [
      suppressAtStart(special.suppressedAtStart),
      suppress(special.suppressed),
      timestampRules(special),
    ]
  }

  /** openai/whisper, transcribe.py, decode_with_fallback; the prompt is fed once for all attempts. */
  async decode(sequence: Sequence, options: WindowOptions): Promise<WindowText> {
    const { previous, start, positions, signal } = options
    const context = previous.slice(-(positions / 2 - 1))
    const prompt = context.length > 0 ? [this.special.startOfPrevious, ...context, ...start] : [...start]
    signal.throwIfAborted()
    const sot = prompt.length - start.length
    const [atStart, first] = await sequence.feed(prompt, 0, [sot, prompt.length - 1])
    const noSpeechProb = Math.exp(logSoftmaxAt(atStart!, this.special.noSpeech))
    for (const [i, temperature] of options.temperatures.entries()) {
      const last = i === options.temperatures.length - 1
      const attempt = await this.#attempt(sequence, first!.slice(), prompt.length, temperature, options)
      const result = { ...attempt, noSpeechProb, temperature }
      if (last || acceptable(result)) return result
    }
    throw new RangeError('no temperature to decode with')
  }

  async #attempt(
    sequence: Sequence,
    first: Float32Array,
    position: number,
    temperature: number,
    { positions, random, signal }: WindowOptions,
  ) {
    const sampler = new Sampler({ temperature, topP: 1, random })
    let logprob = 0
    const select = (logits: Float32Array, tokens: readonly number[]): number => {
      for (const rule of this.#rules) rule(logits, tokens)
      const token = sampler.fromRow(logits)
      logprob += logSoftmaxAt(logits, token)
      return token
    }
    const tokens: number[] = []
    const reply = decode(first, position, {
      step: async (token, at) => (await sequence.feed([token], at, [0]))[0]!,
      select,
      stopTokens: new Set([this.special.endOfText]),
      // A token at the last position still has a successor.
      maxTokens: Math.min(positions / 2, positions - position + 1),
      signal,
    })
    for await (const { token } of reply) tokens.push(token)
    const text = textOf(tokens, this.tokenizer, this.special).trim()
    return { tokens, avgLogprob: logprob / (tokens.length + 1), compressionRatio: compressionRatio(text) }
  }
}

/** The text of tokens, timestamps and other special ones left out. */
export function textOf(tokens: readonly number[], tokenizer: Tokenizer, special: SpecialTokens): string {
  return tokenizer.decode(tokens.filter((token) => token < special.endOfText))
}

/** Silence is accepted as it is: no temperature finds words in it. */
function acceptable({ compressionRatio, avgLogprob, noSpeechProb }: WindowText): boolean {
  if (noSpeechProb > NO_SPEECH && avgLogprob < LEAST_LOGPROB) return true
  return compressionRatio <= MOST_COMPRESSION && avgLogprob >= LEAST_LOGPROB
}

function compressionRatio(text: string): number {
  const bytes = Buffer.from(text)
  return bytes.length / deflateSync(bytes).length
}
