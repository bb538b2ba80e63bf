/** Engines of the embedded checkpoint, made once for all tests of a run. */
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { ModelContext } from '#src/models/model.js'
import { type CpuPrecision, type EnginePlan, onCpu, type Precision } from '#src/models/plan.js'
import { type Observers, planWhisper } from '#src/models/whisper/build.js'
import type { Whisper } from '#src/models/whisper/longform.js'
import { openWhisper } from '#src/models/whisper/transcribe.js'
import { openPortable, type Residents } from '../../graph/portable-session.js'
import { checkpoint } from '../../root.js'
import { writeEngine } from '../engine.js'

export const folder = checkpoint('whisper-base')
const weights = openCheckpoint(folder)

/** An engine for ONNX Runtime, or the portable form of one for TensorRT, which rounds as that one does. */
export type Form = CpuPrecision | `tensorrt ${Precision}`

/** Windows that the engines for TensorRT take at once; their decoder gives the logits of twice as many rows. */
const SLOTS = 16

export function plan(form: Form, observers?: Observers): EnginePlan {
  if (form === 'float32' || form === 'int8') return planWhisper(folder, weights, onCpu(form), observers)
  const precision = form.slice('tensorrt '.length) as Precision
  const options = { target: 'tensorrt', precision, slots: SLOTS, stateBytes: 2 ** 30 } as const
  return planWhisper(folder, weights, options, observers)
}

function build(form: Form, observers?: Observers): ModelContext {
  const planned = plan(form, observers)
  return form.startsWith('tensorrt')
    ? portableEngine(planned, folder)
    : writeEngine('whisper', planned, folder)
}

/** The graphs of a plan for TensorRT in their portable form, with the assets of `source`. */
export function portableEngine(planned: EnginePlan, source: string): ModelContext {
  const residents: Residents = new Map()
  return {
    ...writeEngine('whisper', { ...planned, graphs: [] }, source),
    open: async (name) => {
      const found = planned.graphs.find(({ graph }) => graph.name === name)
      if (!found) throw new Error(`the plan has no graph ${name}`)
      return openPortable(found, { rounding: true, residents })
    },
  }
}

const contexts = new Map<Form, ModelContext>()
const engines = new Map<Form, Promise<Whisper>>()

export function context(form: Form): ModelContext {
  const known = contexts.get(form) ?? build(form)
  contexts.set(form, known)
  return known
}

export function engine(form: Form): Promise<Whisper> {
  const known = engines.get(form) ?? openWhisper(context(form))
  engines.set(form, known)
  return known
}

/** The engine with its hidden states as outputs `observed.…`. */
export function observedEngine(form: Form): ModelContext {
  const observe: Observers['encoder'] = (name, value) =>
    value.graph.output(`observed.${name}`, value.graph.cast(value, 'float32'), ['rows', 512])
  return build(form, { encoder: observe, decoder: observe })
}
