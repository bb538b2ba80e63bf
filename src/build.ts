/** Checkpoint → graphs → engine folder with its manifest. The build half of the program: never on the request path. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { openCheckpoint } from './checkpoint/checkpoint.js'
import { digestOf, recordedDigests, verifyFile } from './checkpoint/digest.js'
import { SetupError } from './errors.js'
import { planKokoro } from './models/kokoro/build.js'
import { planLlama } from './models/llama/build.js'
import { type CpuPrecision, type EnginePlan, onCpu, type PlanOptions, signatureOf } from './models/plan.js'
import { planWhisper } from './models/whisper/build.js'
import { builderIdentity } from './runtime/builder.js'
import type { Family, FileRecord, Manifest, Runtime } from './runtime/manifest.js'
import { filesIn, freshness, isFolder, recordFile, sourceFiles, writeManifest } from './runtime/store.js'

interface FamilyBuild {
  accepts(config: Readonly<Record<string, unknown>>): boolean
  plan: (folder: string, checkpoint: ReturnType<typeof openCheckpoint>, options: PlanOptions) => EnginePlan
}

/** A new model family is one folder of models/ and one line here and in worker.ts. */
const families: Record<Family, FamilyBuild> = {
  whisper: { accepts: (config) => config.model_type === 'whisper', plan: planWhisper },
  llama: {
    accepts: (config) => ['llama', 'mistral', 'qwen2', 'qwen3'].includes(String(config.model_type)),
    plan: planLlama,
  },
  kokoro: { accepts: (config) => 'istftnet' in config && 'plbert' in config, plan: planKokoro },
}

export interface BuildOptions {
  /** The folder with one checkpoint folder per model. */
  checkpoints: string
  /** Engines go to `<engines>/<runtime>/<model>`. */
  engines: string
  runtime: Runtime
  /** Names of checkpoint folders; all of them if absent. */
  models?: readonly string[]
  precision?: CpuPrecision
  onProgress?: (event: BuildEvent) => void
}

/** How far one model is: bytes of the present step. */
export interface BuildEvent {
  readonly model: string
  readonly step: 'up-to-date' | 'verify' | 'convert' | 'record' | 'done'
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
 * Builds the engines that are missing or older than their inputs (checkpoint, builder, options), one after another.
 * @throws SetupError for a checkpoint that is missing, damaged or of no known family
 */
export async function buildEngines(options: BuildOptions): Promise<BuildReport[]> {
  const { checkpoints, models } = options
  if (!existsSync(checkpoints))
    throw new SetupError(`There is no checkpoint folder ${checkpoints}: set CHECKPOINTS to the one you mean.`)
  const found = readdirSync(checkpoints).filter(
    (name) => !name.startsWith('.') && existsSync(join(checkpoints, name, 'config.json')),
  )
  const names = models ?? found
  const missing = names.find((name) => !found.includes(name))
  if (missing !== undefined)
    throw new SetupError(
      `There is no checkpoint ${missing} with a config.json in ${checkpoints} (found: ${found.join(', ') || 'none'}).`,
    )
  const reports = []
  for (const name of [...names].sort()) reports.push(await buildEngine(name, options))
  return reports
}

async function buildEngine(model: string, options: BuildOptions): Promise<BuildReport> {
  const { checkpoints, engines, runtime, precision = 'int8', onProgress = () => {} } = options
  const begun = performance.now()
  const source = join(checkpoints, model)
  const folder = join(engines, runtime, model)
  const family = familyOf(source)
  const identity = { builder: builderIdentity(family), options: { precision } }

  const report = (status: BuildReport['status'], manifest: Manifest): BuildReport => {
    const bytes = Object.values(manifest.files).reduce((sum, { size }) => sum + size, 0)
    const seconds = (performance.now() - begun) / 1000
    onProgress({ model, step: status === 'built' ? 'done' : 'up-to-date', done: bytes, total: bytes })
    return { model, status, seconds, bytes }
  }

  const state = await freshness(folder, source, identity)
  if (state.fresh) return report('up-to-date', state.manifest)

  const step = (name: BuildEvent['step'], total: number) => {
    let done = 0
    return (bytes: number) => {
      done += bytes
      onProgress({ model, step: name, done, total })
    }
  }
  const sources = await verifiedSources(source, (total) => step('verify', total))
  const building = join(dirname(folder), `.${model}.building-${process.pid}`)
  removeLeftovers(dirname(folder), model)
  mkdirSync(building, { recursive: true })
  try {
    using checkpoint = openCheckpoint(source)
    const plan = families[family].plan(source, checkpoint, onCpu(precision))
    const onConverted = step(
      'convert',
      plan.graphs.reduce((sum, { graph }) => sum + graph.bytes, 0),
    )
    for (const { graph } of plan.graphs) graph.write(building, onConverted)
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
    replaceFolder(building, folder)
    return report('built', manifest)
  } catch (error) {
    rmSync(building, { recursive: true, force: true })
    throw error
  }
}

function familyOf(folder: string): Family {
  const path = join(folder, 'config.json')
  let config: Readonly<Record<string, unknown>>
  try {
    config = Object(JSON.parse(readFileSync(path, 'utf8'))) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new SetupError(`${path} is not JSON (${(error as Error).message}).`, { cause: error })
  }
  for (const [family, { accepts }] of Object.entries(families)) if (accepts(config)) return family as Family
  throw new SetupError(
    `${path} describes a model of type ${JSON.stringify(config.model_type ?? null)}; supported are the families ${Object.keys(families).join(', ')}.`,
  )
}

/** All files as they are now, each compared with the SHA-256 that the model card records for it. */
async function verifiedSources(
  folder: string,
  progress: (total: number) => (bytes: number) => void,
): Promise<Record<string, FileRecord>> {
  const names = sourceFiles(folder)
  const recorded = recordedDigests(folder)
  for (const name of recorded.keys())
    if (!existsSync(join(folder, name)))
      throw new SetupError(`${join(folder, name)} is missing, though the model card lists it.`)
  const onBytes = progress(totalSize(folder, names))
  return records(names, async (name) => {
    const path = join(folder, name)
    const { size, mtimeMs } = statSync(path)
    const expected = recorded.get(name)
    if (expected) await verifyFile(path, expected, onBytes)
    return { size, mtimeMs, sha256: expected ?? (await digestOf(path, onBytes)) }
  })
}

async function records(
  names: readonly string[],
  record: (name: string) => Promise<FileRecord>,
): Promise<Record<string, FileRecord>> {
  const result: Record<string, FileRecord> = {}
  for (const name of names) result[name] = await record(name)
  return result
}

function totalSize(folder: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function parameters(checkpoint: ReturnType<typeof openCheckpoint>): number {
  return checkpoint.names.reduce(
    (sum, name) => sum + checkpoint.tensor(name).dims.reduce((a, b) => a * b, 1),
    0,
  )
}

/** A file, or all files of a folder; of links what they lead to, because an engine stands alone. */
function copyAsset(source: string, target: string): void {
  if (!existsSync(source)) throw new SetupError(`${source} is missing: fetch the whole checkpoint.`)
  const names = isFolder(source) ? filesIn(source) : ['']
  for (const name of names) {
    const path = join(target, name)
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(join(source, name), path)
  }
}

/** Removes what killed builds left behind; what another process is at work on stays. */
function removeLeftovers(parent: string, model: string): void {
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    const [, of, pid] = /^\.(.+)\.(?:building|replaced)-(\d+)$/.exec(name) ?? []
    if (of === model && !isAnotherAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isAnotherAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Puts `building` at `folder` by renaming; a reader sees the old engine, none, or the new one, never a mixture. */
function replaceFolder(building: string, folder: string): void {
  const replaced = join(dirname(folder), `.${basename(folder)}.replaced-${process.pid}`)
  if (existsSync(folder)) renameSync(folder, replaced)
  renameSync(building, folder)
  rmSync(replaced, { recursive: true, force: true })
}
