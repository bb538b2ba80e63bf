/** Checkpoint → graphs → engine folder with its manifest. The build half of the program: never on the request path. */
import { join } from 'node:path'
import { describe } from './build/description.js'
import { bytesOf, familyOf, planEngine } from './build/families.js'
import { copyAsset, makeFolder } from './build/folder.js'
import { refusePrecision } from './build/precision.js'
import { checkpointNames, records, totalSize, verifiedSources } from './build/sources.js'
import { buildPlan } from './build/tensorrt.js'
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.js'
import { type EnginePlan, signatureOf } from './models/plan.js'
import { type EngineSettings, engineIdentities } from './runtime/identity.js'
import type { Family, Identity, Manifest } from './runtime/manifest.js'
import { filesIn, freshness, recordFile, writeManifest } from './runtime/store.js'

export interface BuildOptions extends EngineSettings {
  /** The folder with one checkpoint folder per model. */
  readonly checkpoints: string
  /** Engines go to `<engines>/<runtime>/<model>`. */
  readonly engines: string
  /** Names of checkpoint folders; all of them if absent. */
  readonly models?: readonly string[]
  readonly onProgress?: (event: BuildEvent) => void
}

/** How far one model is: bytes of the present step, or thousandths of all graphs that TensorRT compiles. */
export interface BuildEvent {
  readonly model: string
  readonly step: 'up-to-date' | 'verify' | 'convert' | 'compile' | 'record' | 'done'
  /** Which graph is compiled. */
  readonly graph?: string
  readonly done: number
  readonly total: number
}

export interface BuildReport {
  readonly model: string
  readonly status: 'up-to-date' | 'built'
  readonly seconds: number
  /** Bytes of the engine's files. */
  readonly bytes: number
}

/**
 * Builds the engines that are missing or older than their inputs (checkpoint, builder, options; for TensorRT also
 * libraries, driver and GPU), one after another.
 * @throws SetupError for a checkpoint that is missing, damaged or of no known family, and when TensorRT is not to be had,
 * fails, or has no kernels of the precision for the GPU; Interrupted at a signal while TensorRT is at work
 */
export async function buildEngines(options: BuildOptions): Promise<BuildReport[]> {
  const names = checkpointNames(options.checkpoints, options.models)
  const identityOf = engineIdentities(options)
  const reports = []
  for (const name of names) {
    const family = familyOf(join(options.checkpoints, name))
    const identity = identityOf(family)
    refusePrecision(identity)
    reports.push(await buildEngine(name, family, identity, options))
  }
  return reports
}

async function buildEngine(
  model: string,
  family: Family,
  identity: Identity,
  options: BuildOptions,
): Promise<BuildReport> {
  const { checkpoints, engines, runtime, onProgress = () => {} } = options
  const begun = performance.now()
  const source = join(checkpoints, model)
  const folder = join(engines, runtime, model)

  const report = (status: BuildReport['status'], manifest: Manifest): BuildReport => {
    const bytes = Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0)
    const seconds = (performance.now() - begun) / 1000
    onProgress({ model, step: status === 'built' ? 'done' : 'up-to-date', done: bytes, total: bytes })
    return { model, status, seconds, bytes }
  }
  const step = (name: BuildEvent['step'], total: number) => {
    let done = 0
    return (bytes: number) => {
      done += bytes
      onProgress({ model, step: name, done, total })
    }
  }

  const state = await freshness(folder, source, identity)
  if (state.fresh) return report('up-to-date', state.manifest)
  const sources = await verifiedSources(source, (total) => step('verify', total))
  const manifest = await makeFolder(folder, async (building) => {
    using checkpoint = openCheckpoint(source)
    const described = describe(source, checkpoint, building)
    const plan = planEngine(family, described, checkpoint, runtime, identity.options)
    const onConverted = step('convert', bytesOf(plan))
    for (const { graph } of plan.graphs) graph.write(building, onConverted)
    if (identity.device) await compile(building, plan, model, options, timingCache(options, identity.device))
    if (described !== building)
      for (const asset of plan.assets) copyAsset(join(source, asset), join(building, asset))

    const files = filesIn(building)
    const onRecorded = step('record', totalSize(building, files))
    const manifest: Manifest = {
      model,
      family,
      runtime,
      ...identity,
      parameters: parameters(checkpoint),
      sources,
      files: await records(files, (file) => recordFile(join(building, file), onRecorded)),
      graphs: Object.fromEntries(plan.graphs.map((planned) => [planned.graph.name, signatureOf(planned)])),
    }
    writeManifest(building, manifest)
    return manifest
  })
  return report('built', manifest)
}

/** Replaces the ONNX files in `building` by TensorRT's plans. */
async function compile(
  building: string,
  { graphs }: EnginePlan,
  model: string,
  { libraries, device, onProgress = () => {} }: BuildOptions,
  timingCache: string,
): Promise<void> {
  for (const [i, planned] of graphs.entries()) {
    const onFraction = (fraction: number) => {
      const done = 1000 * (i + fraction)
      onProgress({ model, step: 'compile', graph: planned.graph.name, done, total: 1000 * graphs.length })
    }
    onFraction(0)
    await buildPlan(building, planned, { libraries, device, timingCache }, onFraction)
    onFraction(1)
  }
}

/** Kernel timings hold for one kind of GPU and one version of TensorRT; they are kept beside the engines. */
function timingCache(
  { engines, runtime }: BuildOptions,
  { sm, tensorrt }: NonNullable<Identity['device']>,
): string {
  return join(engines, runtime, `.timing-sm${sm}-${tensorrt}.cache`)
}

function parameters(checkpoint: Checkpoint): number {
  return checkpoint.names.reduce(
    (sum, name) => sum + checkpoint.tensor(name).dims.reduce((a, b) => a * b, 1),
    0,
  )
}
