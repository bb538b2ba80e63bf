/** Engines that tests build, in a temporary folder that goes away with the run. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelContext } from '#src/models/model.js'
import { type EnginePlan, signatureOf } from '#src/models/plan.js'
import { openEngine } from '#src/runtime/engine.js'
import type { Family } from '#src/runtime/manifest.js'

const made = mkdtempSync(join(tmpdir(), 'engines-test-'))
process.on('exit', () => rmSync(made, { recursive: true, force: true }))

/** A new folder for a test's files. */
export const newFolder = (): string => mkdtempSync(join(made, 'folder-'))

/** Writes the plan's graphs to a new folder, with the assets of `source`. */
export function writeEngine(family: Family, plan: EnginePlan, source: string): ModelContext {
  const folder = newFolder()
  for (const { graph } of plan.graphs) graph.write(folder)
  for (const asset of plan.assets) cpSync(join(source, asset), join(folder, asset))
  const graphs = Object.fromEntries(plan.graphs.map((planned) => [planned.graph.name, signatureOf(planned)]))
  const manifest = {
    model: 'test',
    family,
    runtime: 'onnxruntime',
    builder: 'test',
    options: { precision: 'float32' },
    parameters: 0,
    sources: {},
    files: {},
    graphs,
  } as const
  const engine = openEngine(folder, manifest, { threads: 2 })
  const open: ModelContext['open'] = async (graph, limits) => (await engine).open(graph, limits)
  return { folder, manifest, slots: 8, stateBytes: 2 ** 30, open }
}
