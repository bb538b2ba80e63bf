/** How tokens are chosen: the request's values, and where it has none those of the model's generation_config.json. */
import { randomUUID } from 'node:crypto'
import { seededRandom } from '../../decoding/rng.js'
import { isGreedy } from '../../decoding/sampler.js'
import { SetupError } from '../../errors.js'
import type { ChoosingOptions } from './chooser.js'
import type { GenerateRequest } from './request.js'

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

/** How the tokens of a request's replies are chosen. */
export interface Choosing {
  /** Whether the same request is to have the same replies again: by a seed, or because nothing is drawn. */
  readonly reproducible: boolean
  /**
   * By the index of the reply. Every one draws from a stream of its own, which the seed and the index give: the first is
   * that of a request for a single reply.
   */
  options(index: number): ChoosingOptions
}

export function choosing(request: GenerateRequest, defaults: SamplingDefaults): Choosing {
  const { temperature, topP, seed, frequencyPenalty, presencePenalty, logitBias = {}, topLogprobs } = request
  const shared = {
    temperature: temperature ?? defaults.temperature,
    topP: topP ?? defaults.topP,
    topK: defaults.topK,
    frequency: frequencyPenalty ?? 0,
    presence: presencePenalty ?? 0,
    repetition: defaults.repetitionPenalty,
    bias: Object.entries(logitBias).map(([token, value]) => [Number(token), value] as const),
    topLogprobs,
  }
  const stream = (index: number) => (index === 0 ? seed! : `${seed}, reply ${index}`)
  return {
    reproducible: seed !== undefined || isGreedy(shared),
    options: (index) => ({
      ...shared,
      random: seededRandom(seed === undefined ? randomUUID() : stream(index)),
    }),
  }
}
