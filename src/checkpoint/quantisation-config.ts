/**
 * How the weights of a safetensors checkpoint are packed into integers: `quantization_config` of its config.json, as
 * compressed-tensors, GPTQ (AutoGPTQ, GPTQModel) and AWQ (AutoAWQ) write it. What they write beside, about how the
 * numbers were found and which modules were left alone, is not needed: the tensors say it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../errors.js'
import { isObject, readJson } from './json.js'

/** Bits of a weight, and how many neighbours in a row share a scale; null: the whole row. */
export interface Scheme {
  readonly bits: 4 | 8
  readonly group: number | null
}

export type Packing =
  | { readonly method: 'compressed-tensors'; readonly schemes: readonly Scheme[] }
  /** Files of version 1 store zero points less one. */
  | { readonly method: 'gptq'; readonly schemes: readonly Scheme[]; readonly version: 1 | 2 }
  | { readonly method: 'awq'; readonly schemes: readonly Scheme[] }

/**
 * The packing that the config.json of a folder announces, or null where it announces none: weights are floats, or bytes
 * with a scale beside them (compressed-tensors' `int-quantized`).
 * @throws SetupError naming the key and the value that are not supported
 */
export function readPacking(folder: string): Packing | null {
  const path = join(folder, 'config.json')
  const config = existsSync(path) ? readJson(path) : null
  const stated = isObject(config) ? config.quantization_config : null
  if (stated === undefined || stated === null) return null
  if (!isObject(stated)) throw unsupported(path, '', stated, 'an object is needed')
  const at = new Settings(path, '', stated)
  const method = at.oneOf('quant_method', ['compressed-tensors', 'gptq', 'awq'])
  if (method === 'compressed-tensors') return compressedTensors(at)
  const group = at.group('group_size')
  if (method === 'awq') {
    at.oneOf('version', ['gemm', 'GEMM'])
    at.oneOf('zero_point', [true])
    return { method, schemes: [{ bits: at.oneOf('bits', [4]), group }] }
  }
  at.oneOf('pack_dtype', [undefined, 'int32'])
  at.only('dynamic', (rules) => isObject(rules) && Object.keys(rules).every((rule) => rule.startsWith('-:')))
  const format = at.oneOf(at.has('checkpoint_format') ? 'checkpoint_format' : 'format', [
    undefined,
    'gptq',
    'gptq_v2',
  ])
  const scheme = { bits: at.oneOf('bits', [4, 8]), group }
  return { method, schemes: [scheme], version: format === 'gptq_v2' ? 2 : 1 }
}

function compressedTensors(at: Settings): Packing | null {
  const format = at.oneOf('format', ['pack-quantized', 'int-quantized'])
  at.oneOf('quantization_status', [undefined, 'compressed', 'frozen'])
  at.oneOf('kv_cache_scheme', [undefined, null])
  for (const key of ['transform_config', 'sparsity_config'])
    at.only(key, (value) => isObject(value) && Object.keys(value).length === 0)
  const groups = at.object('config_groups')
  const schemes = Object.keys(groups.values).map((name) => {
    const group = groups.object(name)
    // Numbers that are meant to be multiplied with rounded activations.
    for (const key of ['input_activations', 'output_activations']) group.oneOf(key, [undefined, null])
    if (format === 'int-quantized') return null
    group.oneOf('format', [undefined, null, 'pack-quantized'])
    const weights = group.object('weights')
    weights.oneOf('type', [undefined, 'int'])
    weights.oneOf('dynamic', [undefined, false])
    const strategy = weights.oneOf('strategy', ['group', 'channel'])
    return {
      bits: weights.oneOf('num_bits', [4, 8]),
      group: strategy === 'group' ? weights.group('group_size') : null,
    }
  })
  const packed = schemes.filter((scheme) => scheme !== null)
  return packed.length > 0 ? { method: 'compressed-tensors', schemes: packed } : null
}

/** The settings at one place of the file. */
class Settings {
  constructor(
    readonly path: string,
    readonly place: string,
    readonly values: Readonly<Record<string, unknown>>,
  ) {}

  has(key: string): boolean {
    return this.values[key] !== undefined
  }

  /** The value, which has to be among those given. */
  oneOf<const T>(key: string, known: readonly T[]): T {
    const found = known.find((value) => value === this.values[key])
    if (found !== undefined || (!this.has(key) && known.includes(undefined as T))) return found as T
    const shown = known.filter((value) => value !== undefined && value !== null)
    throw this.refused(
      key,
      shown.length > 0 ? `use ${shown.map((value) => JSON.stringify(value)).join(' or ')}` : 'leave it out',
    )
  }

  /** Refuses a value that is neither absent nor what `harmless` accepts. */
  only(key: string, harmless: (value: unknown) => boolean): void {
    const value = this.values[key]
    if (value !== undefined && value !== null && !harmless(value)) throw this.refused(key, 'leave it out')
  }

  /** Weights that share a scale; null for -1, the whole row. */
  group(key: string): number | null {
    const size = this.values[key]
    if (size === -1) return null
    if (typeof size === 'number' && Number.isInteger(size) && size > 0 && size % 16 === 0) return size
    throw this.refused(key, 'use a multiple of 16')
  }

  object(key: string): Settings {
    const value = this.values[key]
    if (!isObject(value)) throw this.refused(key, 'an object is needed')
    return new Settings(this.path, `${this.place}.${key}`, value)
  }

  private refused(key: string, advice: string): SetupError {
    return unsupported(this.path, `${this.place}.${key}`, this.values[key], advice)
  }
}

function unsupported(path: string, key: string, value: unknown, advice: string): SetupError {
  const shown = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200)
  return new SetupError(
    `${path} has quantization_config${key} ${shown}, which is not supported: ${advice}, or take a checkpoint that is not quantised`,
  )
}
