/** Engines of the embedded checkpoint, made once for all tests of a run, in a folder that goes away with it. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checkpoint, openCheckpoint } from '#src/checkpoint/checkpoint.js'
import type { ModelContext } from '#src/models/model.js'
import type { EnginePlan, Precision } from '#src/models/plan.js'
import { type Observers, planWhisper } from '#src/models/whisper/build.js'
import type { Whisper } from '#src/models/whisper/longform.js'
import { openWhisper } from '#src/models/whisper/transcribe.js'
import type { Manifest } from '#src/runtime/manifest.js'
import { openSession } from '#src/runtime/onnxruntime.js'
import type { GraphSignature } from '#src/runtime/session.js'
import { checkpoint } from '../../root.js'

export const folder = checkpoint('whisper-base')

const made = mkdtempSync(join(tmpdir(), 'whisper-test-'))
process.on('exit', () => rmSync(made, { recursive: true, force: true }))

/** Writes the plan's graphs to a new folder, with the assets of `source`. */
export function writeEngine(plan: EnginePlan, source: string): ModelContext {
  const target = mkdtempSync(join(made, 'engine-'))
  const graphs: Record<string, GraphSignature> = {}
  for (const { graph, state = [], stateRows = 0 } of plan.graphs) {
    graph.write(target)
    graphs[graph.name] = { inputs: graph.inputs, outputs: graph.outputs, state, stateRows }
  }
  for (const asset of plan.assets) cpSync(join(source, asset), join(target, asset))
  const manifest: Manifest = {
    model: 'whisper-base',
    family: 'whisper',
    runtime: 'onnxruntime',
    builder: 'test',
    options: {},
    parameters: 0,
    sources: {},
    files: {},
    graphs,
  }
  const open = (name: string) => openSession(target, name, graphs[name]!, { threads: 2 })
  return { folder: target, manifest, stateBytes: 2 ** 28, open }
}

function build(precision: Precision, observers?: Observers): ModelContext {
  using weights: Checkpoint = openCheckpoint(folder)
  return writeEngine(planWhisper(folder, weights, precision, observers), folder)
}

const contexts = new Map<string, ModelContext>()
const engines = new Map<Precision, Promise<Whisper>>()

export function context(precision: Precision): ModelContext {
  const known = contexts.get(precision) ?? build(precision)
  contexts.set(precision, known)
  return known
}

export function engine(precision: Precision): Promise<Whisper> {
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
