/** Writes a small graph to a temporary folder and runs it once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Dim,
  Graph,
  type GraphOptions,
  type Value,
  type Weight,
  type WeightSource,
} from '#src/graph/graph.js'
import { signatureOf } from '#src/models/plan.js'
import { openSession } from '#src/runtime/onnxruntime.js'
import type { Feeds, HostTensor } from '#src/runtime/session.js'

const made = mkdtempSync(join(tmpdir(), 'graph-test-'))
process.on('exit', () => rmSync(made, { recursive: true, force: true }))
export const newFolder = (): string => mkdtempSync(join(made, 'folder-'))

export const noWeights: WeightSource = {
  has: () => false,
  tensor: (name) => {
    throw new Error(`no tensor ${name}`)
  },
}
/** Weights by name. */
export const weightsOf = (tensors: Record<string, Weight>): WeightSource => ({
  has: (name) => Object.hasOwn(tensors, name),
  tensor: (name) => tensors[name] ?? noWeights.tensor(name),
})
/** A float32 weight as a checkpoint would give it. */
export const floatWeight = (dims: readonly number[], data: readonly number[] | Float32Array): Weight => ({
  dims,
  storage: 'F32',
  floats: () => Float32Array.from(data),
  quantised: () => null,
})

/** What `build` returns (values with their sizes), by its keys, for inputs whose sizes are all left open. */
export async function evaluate(
  feeds: Feeds,
  build: (g: Graph, inputs: Record<string, Value>) => Record<string, readonly [Value, readonly Dim[]]>,
  options: GraphOptions = { weights: noWeights },
): Promise<Record<string, HostTensor>> {
  const g = new Graph('test', options)
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims }]) => [
      name,
      g.input(
        name,
        dtype,
        dims.map((_, axis) => `${name}_${axis}`),
      ),
    ]),
  )
  for (const [name, [value, dims]] of Object.entries(build(g, inputs))) g.output(name, value, dims)
  const folder = newFolder()
  g.write(folder)
  const signature = signatureOf({ graph: g })
  const session = await openSession(folder, 'test', signature, { threads: 2 })
  try {
    return { ...(await session.run(feeds)) }
  } finally {
    await session.dispose()
  }
}
