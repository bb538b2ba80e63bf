/** The rotary settings of config.json in all their spellings. */
import { SetupError } from '../../errors.js'
import { isObject, type JsonObject } from '../../text/json-file.js'

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
  | {
      readonly type: 'longrope'
      /** What each pair's frequency is divided by, in sequences that are no longer than those of the training. */
      readonly factors: readonly number[]
      readonly attentionFactor: number
    }

export interface RopeConfig {
  readonly theta: number
  /** Numbers of a head that are turned, the first of it: an even number. */
  readonly width: number
  readonly scaling: RopeScaling
  /** Positions that it is made for. */
  readonly context: number
}

/**
 * `rope_theta` with `rope_scaling` (whose kind is `type` or `rope_type`), or both in `rope_parameters`, there perhaps
 * apart for each layer type; Gemma 3 has `rope_local_base_freq` for layers with a window, and scales the others alone.
 * @param options.partial whether part of a head may be turned (`partial_rotary_factor`)
 * @throws SetupError for kinds that are not implemented (dynamic …) and for missing numbers
 */
export function readRope(
  json: JsonObject,
  { headDim, layerType, partial = false }: { headDim: number; layerType: string; partial?: boolean },
  where: string,
): RopeConfig {
  const local = layerType === 'sliding_attention' ? json.rope_local_base_freq : undefined
  const all = object(json.rope_parameters) ?? object(json.rope_scaling) ?? {}
  const settings = object(all[layerType]) ?? (local === undefined ? all : {})
  const number = (key: string, absent?: number, from: JsonObject = settings): number => {
    const value = from[key] ?? absent
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw new SetupError(
      `${where} has the rotary setting ${key} ${JSON.stringify(value) ?? 'missing'}: a positive number is needed.`,
    )
  }
  const theta = number('rope_theta', local === undefined ? number('rope_theta', 10000, json) : Number(local))
  const share = number('partial_rotary_factor', number('partial_rotary_factor', 1, json))
  if (share !== 1 && !partial)
    throw new SetupError(`${where} has partial_rotary_factor ${share}, which is not implemented.`)
  const width = Math.trunc(headDim * share)
  if (width % 2 !== 0 || share > 1)
    throw new SetupError(
      `${where} has partial_rotary_factor ${share}: of ${headDim} numbers it makes no pairs.`,
    )
  const context = number('max_position_embeddings', undefined, json)
  const originalKey = 'original_max_position_embeddings'
  const original = () => number(originalKey, number(originalKey, context), json)
  const rope = (scaling: RopeScaling, most = context): RopeConfig => ({
    theta,
    width,
    scaling,
    context: most,
  })
  const named = settings.rope_type ?? settings.type ?? 'default'
  // Phi 3 had other names for it.
  const kind = (named === 'su' || named === 'yarn') && settings.short_factor ? 'longrope' : named
  switch (kind) {
    case 'default':
      return rope({ type: 'none' })
    case 'linear':
      return rope({ type: 'linear', factor: number('factor') })
    case 'llama3': {
      const lowFrequency = number('low_freq_factor')
      const highFrequency = number('high_freq_factor')
      const factor = number('factor')
      return rope({ type: 'llama3', factor, lowFrequency, highFrequency, original: original() })
    }
    case 'yarn': {
      const factor = number('factor', context / original())
      return rope({
        type: 'yarn',
        factor,
        original: original(),
        betaFast: number('beta_fast', 32),
        betaSlow: number('beta_slow', 1),
        truncate: settings.truncate !== false,
        attentionFactor: number('attention_factor', yarnAttention(factor, settings)),
      })
    }
    case 'longrope': {
      // Beyond the training's length other factors hold, for all rows of the sequence: such sequences are not taken.
      const factor = number('factor', context / original())
      const stretch = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original()))
      const factors = factorsOf(settings.short_factor, width / 2, where)
      const attentionFactor = number('attention_factor', stretch)
      return rope({ type: 'longrope', factors, attentionFactor }, Math.min(context, original()))
    }
    default:
      throw new SetupError(
        `${where} has the rotary scaling ${JSON.stringify(kind)}: implemented are default, linear, llama3, yarn, longrope.`,
      )
  }
}

/** YaRN's magnitude 0.1·ln(factor) + 1 (arXiv 2309.00071, section 3.4), or the ratio of DeepSeek's two variants. */
function yarnAttention(factor: number, settings: JsonObject): number {
  const magnitude = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1)
  const { mscale, mscale_all_dim: all } = settings
  if (typeof mscale === 'number' && typeof all === 'number' && mscale && all)
    return magnitude(mscale) / magnitude(all)
  return magnitude(1)
}

function factorsOf(value: unknown, pairs: number, where: string): readonly number[] {
  const good = (factor: unknown) => typeof factor === 'number' && Number.isFinite(factor) && factor > 0
  if (Array.isArray(value) && value.length === pairs && value.every(good)) return value
  throw new SetupError(
    `${where} has the rotary setting short_factor ${JSON.stringify(value) ?? 'missing'}: ${pairs} positive numbers are needed, one for each pair.`,
  )
}

const object = (value: unknown): JsonObject | null => (isObject(value) ? value : null)
