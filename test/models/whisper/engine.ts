/** Engines of the embedded checkpoint, made once for all tests of a run. */
import { type Checkpoint, openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { ModelContext } from '#src/models/model.js'
import { type CpuPrecision, onCpu } from '#src/models/plan.js'
import { type Observers, planWhisper } from '#src/models/whisper/build.js'
import type { Whisper } from '#src/models/whisper/longform.js'
import { openWhisper } from '#src/models/whisper/transcribe.js'
import { checkpoint } from '../../root.js'
import { writeEngine } from '../engine.js'

export const folder = checkpoint('whisper-base')

function build(precision: CpuPrecision, observers?: Observers): ModelContext {
  using weights: Checkpoint = openCheckpoint(folder)
  return writeEngine('whisper', planWhisper(folder, weights, onCpu(precision), observers), folder)
}

const contexts = new Map<string, ModelContext>()
const engines = new Map<CpuPrecision, Promise<Whisper>>()

export function context(precision: CpuPrecision): ModelContext {
  const known = contexts.get(precision) ?? build(precision)
  contexts.set(precision, known)
  return known
}

export function engine(precision: CpuPrecision): Promise<Whisper> {
  const known = engines.get(precision) ?? openWhisper(context(precision))
  engines.set(precision, known)
  return known
}

/** The float32 engine with its hidden states as outputs `observed.…`. */
export function observedEngine(): ModelContext {
  const observe: Observers['encoder'] = (name, value) =>
    value.graph.output(`observed.${name}`, value, ['rows', 512])
  return build('float32', { encoder: observe, decoder: observe })
}
