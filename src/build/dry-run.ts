/** The graphs of engines as files, for people and checkers: needs neither a GPU nor TensorRT. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions } from '../build.js'
import { openCheckpoint } from '../checkpoint/checkpoint.js'
import { type PlannedGraph, signatureOf } from '../models/plan.js'
import { engineOptions } from '../runtime/identity.js'
import { describe } from './description.js'
import { bytesOf, familyOf, planEngine } from './families.js'
import { checkpointNames } from './sources.js'

export interface DryRunOptions extends Omit<BuildOptions, 'engines'> {
  /** Graphs go to `<out>/<model>`. */
  readonly out: string
}

export interface DryRunReport {
  readonly model: string
  /** Bytes of the graphs' constants. */
  readonly bytes: number
}

/**
 * Writes the graphs that an engine would be made of, with their external data, and beside them `profiles.json`: for
 * every graph how it is called and, by symbol, for which sizes it is built.
 * @throws SetupError for a checkpoint that is missing or of no known family
 */
export function writeGraphs(options: DryRunOptions): DryRunReport[] {
  const { checkpoints, models, runtime, out, onProgress = () => {} } = options
  return checkpointNames(checkpoints, models).map((model) => {
    const source = join(checkpoints, model)
    const folder = join(out, model)
    const family = familyOf(source)
    using checkpoint = openCheckpoint(source)
    mkdirSync(folder, { recursive: true })
    const described = describe(source, checkpoint, folder)
    const plan = planEngine(family, described, checkpoint, runtime, engineOptions(family, options))
    const total = bytesOf(plan)
    let done = 0
    for (const { graph } of plan.graphs)
      graph.write(folder, (bytes) => {
        done += bytes
        onProgress({ model, step: 'convert', done, total })
      })
    const called = Object.fromEntries(plan.graphs.map((planned) => [planned.graph.name, callOf(planned)]))
    writeFileSync(join(folder, 'profiles.json'), `${JSON.stringify(called, null, 1)}\n`)
    onProgress({ model, step: 'done', done: total, total })
    return { model, bytes: total }
  })
}

const callOf = (planned: PlannedGraph) => ({ ...signatureOf(planned), tf32: planned.tf32 ?? false })
