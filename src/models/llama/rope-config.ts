/** The rotary settings of config.json in all their spellings. */
import { SetupError } from '../../errors.js'

export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3'
      readonly factor: number
      readonly lowFrequency: number
      readonly highFrequency: number
      /** Context length of the training before the scaling. */
      readonly original: number
    }
  | {
      readonly type: 'yarn'
      readonly factor: number
      readonly original: number
      readonly betaFast: number
      readonly betaSlow: number
      /** Whether the corrected range is rounded to whole dimensions. */
      readonly truncate: boolean
      /** What cosines and sines are multiplied by. */
      readonly attentionFactor: number
    }

export interface RopeConfig {
  readonly theta: number
  readonly scaling: RopeScaling
}

type Json = Readonly<Record<string, unknown>>

/**
 * `rope_theta` with `rope_scaling` (whose kind is `type` or `rope_type`), or both in `rope_parameters`.
 * @param context max_position_embeddings
 * @throws SetupError for kinds that are not implemented (dynamic, longrope …) and for missing numbers
 */
export function readRope(json: Json, context: number, where: string): RopeConfig {
  const settings = object(json.rope_parameters) ?? object(json.rope_scaling) ?? {}
  const number = (key: string, absent?: number, from: Json = settings): number => {
    const value = from[key] ?? absent
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw new SetupError(
      `${where} has the rotary setting ${key} ${JSON.stringify(value) ?? 'missing'}: a positive number is needed.`,
    )
  }
  const theta = number('rope_theta', number('rope_theta', 10000, json))
  const partial = settings.partial_rotary_factor ?? 1
  if (partial !== 1)
    throw new SetupError(`${where} has partial_rotary_factor ${partial}, which is not implemented.`)
  const original = () => number('original_max_position_embeddings', context)
  const kind = settings.rope_type ?? settings.type ?? 'default'
  switch (kind) {
    case 'default':
      return { theta, scaling: { type: 'none' } }
    case 'linear':
      return { theta, scaling: { type: 'linear', factor: number('factor') } }
    case 'llama3': {
      const lowFrequency = number('low_freq_factor')
      const highFrequency = number('high_freq_factor')
      const factor = number('factor')
      return { theta, scaling: { type: 'llama3', factor, lowFrequency, highFrequency, original: original() } }
    }
    case 'yarn': {
      const factor = number('factor', context / original())
      const scaling = {
        type: 'yarn',
        factor,
        original: original(),
        betaFast: number('beta_fast', 32),
        betaSlow: number('beta_slow', 1),
        truncate: settings.truncate !== false,
        attentionFactor: number('attention_factor', yarnAttention(factor, settings)),
      } as const
      return { theta, scaling }
    }
    default:
      throw new SetupError(
        `${where} has the rotary scaling ${JSON.stringify(kind)}: implemented are default, linear, llama3, yarn.`,
      )
  }
}

/** YaRN's magnitude 0.1·ln(factor) + 1 (arXiv 2309.00071, section 3.4), or the ratio of DeepSeek's two variants. */
function yarnAttention(factor: number, settings: Json): number {
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1)
  const { mscale, mscale_all_dim: all } = settings
  if (typeof mscale === 'number' && typeof all === 'number' && mscale && all)
    return magnitude(mscale) / magnitude(all)
  return magnitude(1)
}

const object = (value: unknown): Json | null =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : null
