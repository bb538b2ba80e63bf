/** How tokens are chosen: the request's values, and where it has none those of the model's generation_config.json. */
import { randomUUID } from 'node:crypto'
import { seededRandom } from '../../decoding/rng.js'
import { repetitionPenalty } from '../../decoding/rules.js'
import { sampler } from '../../decoding/sampler.js'
import { SetupError } from '../../errors.js'

type Json = Readonly<Record<string, unknown>>

export interface SamplingDefaults {
  readonly temperature: number
  readonly topP: number
  readonly topK?: number
  readonly repetitionPenalty: number
}

/**
 * Where the file says nothing of sampling (SmolLM2's), transformers would take the likeliest token, in which small
 * models soon repeat themselves for ever, and OpenAI's default of 1 makes them ramble: these are Llama 3's own values.
 */
const UNSPECIFIED: SamplingDefaults = { temperature: 0.6, topP: 0.9, repetitionPenalty: 1 }

/**
 * `do_sample: false` is temperature 0; of a file that samples, absent values are transformers' own (temperature and
 * top_p 1), but top_k is used only where given.
 * @param generation the parsed generation_config.json; `where` is what messages call it
 * @throws SetupError naming the value that is no number in range
 */
export function samplingDefaults(generation: Json, where: string): SamplingDefaults {
  const number = (key: string, absent: number, allowed: (value: number) => boolean): number => {
    const value = generation[key] ?? absent
    if (typeof value === 'number' && Number.isFinite(value) && allowed(value)) return value
    throw new SetupError(`${where} has ${key} ${JSON.stringify(value)}, which is out of range.`)
  }
  const penalty = number('repetition_penalty', 1, (value) => value > 0)
  if (['do_sample', 'temperature', 'top_p', 'top_k'].every((key) => (generation[key] ?? null) === null))
    return { ...UNSPECIFIED, repetitionPenalty: penalty }
  const temperature = number('temperature', 1, (value) => value >= 0)
  const topK = number('top_k', 0, (value) => Number.isInteger(value) && value >= 0)
  return {
    temperature: generation.do_sample === false ? 0 : temperature,
    topP: number('top_p', 1, (value) => value >= 0 && value <= 1),
    ...(topK > 0 ? { topK } : {}),
    repetitionPenalty: penalty,
  }
}

export interface SamplingRequest {
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
}

/** A chooser of the next token; the same seed gives the same draws. Edits the logits. */
export function tokenChooser(
  { temperature, topP, seed }: SamplingRequest,
  defaults: SamplingDefaults,
  prompt: readonly number[],
): (logits: Float32Array, tokens: readonly number[]) => number {
  const choose = sampler({
    temperature: temperature ?? defaults.temperature,
    topP: topP ?? defaults.topP,
    ...(defaults.topK === undefined ? {} : { topK: defaults.topK }),
    random: seededRandom(seed ?? randomUUID()),
  })
  const penalty = defaults.repetitionPenalty
  if (penalty === 1) return choose
  const penalise = repetitionPenalty(penalty, prompt)
  return (logits, tokens) => {
    penalise(logits, tokens)
    return choose(logits)
  }
}
