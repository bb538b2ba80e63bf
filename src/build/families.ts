/** The families of models that can be built, by their checkpoint's config.json. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { SetupError } from '../errors.js'
import { planKokoro } from '../models/kokoro/build.js'
import { planLlama } from '../models/llama/build.js'
import { isLlamaFamily, parseLlamaConfig } from '../models/llama/config.js'
import type { EnginePlan, PlanOptions } from '../models/plan.js'
import { planWhisper } from '../models/whisper/build.js'
import type { Family, Identity, Runtime } from '../runtime/manifest.js'
import { configOf } from './sources.js'

type Config = Readonly<Record<string, unknown>>

interface FamilyBuild {
  accepts(config: Config): boolean
  /** @throws SetupError for settings of config.json that the family does not implement; `where` is what messages call it */
  check?(config: Config, where: string): unknown
  plan: (folder: string, checkpoint: Checkpoint, options: PlanOptions) => EnginePlan
}

/** A new model family is one folder of models/ and one line here, in worker.ts and in runtime/identity.ts. */
const families: Record<Family, FamilyBuild> = {
  whisper: { accepts: (config) => config.model_type === 'whisper', plan: planWhisper },
  llama: { accepts: isLlamaFamily, check: parseLlamaConfig, plan: planLlama },
  kokoro: { accepts: (config) => 'istftnet' in config && 'plbert' in config, plan: planKokoro },
}

/** @throws SetupError for a checkpoint of no known family */
export function familyOf(folder: string): Family {
  const path = join(folder, 'config.json')
  return familyOfConfig(configOf(folder), existsSync(path) ? path : folder)
}

/** As {@link familyOf}, of the parsed file; `where` is what messages call it. */
export function familyOfConfig(config: Config, where: string): Family {
  for (const [family, { accepts }] of Object.entries(families)) if (accepts(config)) return family as Family
  throw new SetupError(
    `${where} describes a model of type ${JSON.stringify(config.model_type ?? null)}; supported are the families ${Object.keys(families).join(', ')}.`,
  )
}

/** The family that a config.json is of, if it implements all of its settings. @throws SetupError naming what it does not */
export function supportedFamily(config: Config, where: string): Family {
  const family = familyOfConfig(config, where)
  families[family].check?.(config, where)
  return family
}

/**
 * The graphs of an engine, planned with the options that its identity records; what is no option of a family sets it no
 * bounds. One thing more counts, and for speed alone: the processor that the build runs on, for the form of linear layers
 * on a CPU. An engine that was made elsewhere is as right, and stays.
 */
export function planEngine(
  family: Family,
  folder: string,
  checkpoint: Checkpoint,
  target: Runtime,
  options: Identity['options'],
): EnginePlan {
  return families[family].plan(folder, checkpoint, {
    target,
    slots: 0,
    stateBytes: Number.POSITIVE_INFINITY,
    ...options,
  })
}

/** Bytes of all constants of an engine's graphs: what writing them reports in sum. */
export const bytesOf = ({ graphs }: EnginePlan): number =>
  graphs.reduce((sum, { graph }) => sum + graph.bytes, 0)
