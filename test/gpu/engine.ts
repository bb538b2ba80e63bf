/** The built engines that the checks run on: those of RUNTIME in ENGINES, as `npm run build-engines` left them. */
import { join } from 'node:path'
import { readConfig } from '#src/config.js'
import type { ModelContext } from '#src/models/model.js'
import { type Engine, openEngine } from '#src/runtime/engine.js'
import type { Family, Precision } from '#src/runtime/manifest.js'
import { listEngines, readManifest } from '#src/runtime/store.js'

const config = readConfig(process.env)

export interface OpenedEngine {
  readonly context: ModelContext
  readonly engine: Engine
  readonly precision: Precision
}

/** Opens the only engine of a family. */
export async function openBuilt(family: Family): Promise<OpenedEngine> {
  const { engines, runtime, threads, device, tensorrtLibraries: libraries, slots, kvMemory } = config
  const folders = listEngines(join(engines, runtime)).map((name) => join(engines, runtime, name))
  const folder = folders.find((path) => readManifest(path).family === family)
  if (folder === undefined) throw new Error(`there is no ${family} engine for ${runtime} in ${engines}`)
  const manifest = readManifest(folder)
  const engine = await openEngine(folder, manifest, { threads, device, libraries })
  const open: ModelContext['open'] = (graph, limits) => engine.open(graph, limits)
  const precision = manifest.options.precision as Precision
  return { context: { folder, manifest, slots, stateBytes: kvMemory, open }, engine, precision }
}

/** What is measured goes into the report, whether it passes or not. */
export function measured(what: string, value: number): number {
  console.log(`      measured: ${what} ${Number(value.toPrecision(3))}`)
  return value
}
