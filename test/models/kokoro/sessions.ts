/** Sessions on graphs that tests build, in a folder that goes away with them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { type Dim, Graph, type Value, type WeightSource } from '#src/graph/graph.js'
import { readConfig } from '#src/models/kokoro/config.js'
import { plainNames } from '#src/models/kokoro/weights.js'
import { signatureOf } from '#src/models/plan.js'
import { openSession } from '#src/runtime/onnxruntime.js'
import { float32, floats, type Session } from '#src/runtime/session.js'
import { checkpoint } from '../../root.js'

export const folder = checkpoint('kokoro-82m')
export const config = readConfig(folder)
export const weights = plainNames(openCheckpoint(folder))

type Dims = readonly Dim[]
type Feeds = Readonly<Record<string, readonly [data: Float32Array, ...dims: number[]]>>

/** A graph of one function on float32 tensors. */
export type Run = (feeds: Feeds) => Promise<Float32Array>

export class Sessions {
  readonly folder = mkdtempSync(join(tmpdir(), 'kokoro-test-'))
  readonly #open: Session[] = []

  async open(graph: Graph): Promise<Session> {
    graph.write(this.folder)
    const session = await openSession(this.folder, graph.name, signatureOf({ graph }), { threads: 2 })
    this.#open.push(session)
    return session
  }

  async function<Name extends string>(
    name: string,
    inputs: Readonly<Record<Name, Dims>>,
    output: Dims,
    build: (inputs: Record<Name, Value>) => Value,
    source: WeightSource = weights,
  ): Promise<Run> {
    const graph = new Graph(name, { weights: source })
    const values = Object.entries<Dims>(inputs).map(([key, dims]) => [key, graph.input(key, 'float32', dims)])
    graph.output('y', build(Object.fromEntries(values)), output)
    const session = await this.open(graph)
    return async (feeds) => {
      const tensors = Object.entries(feeds).map(([key, [data, ...dims]]) => [key, float32(data, dims)])
      return floats(await session.run(Object.fromEntries(tensors)), 'y')
    }
  }

  async dispose(): Promise<void> {
    for (const session of this.#open) await session.dispose()
    rmSync(this.folder, { recursive: true })
  }
}
