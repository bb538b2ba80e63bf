/** Sessions on ONNX Runtime's CPU provider. */
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Feeds, Fetches, GraphSignature, HostTensor, Session, StateUse } from './session.js'
import { StateRows } from './state.js'

export interface SessionOptions {
  /** Threads of one run; never more than cores (3 on 2 cores is 1.5 to 2 times slower). */
  threads: number
  /** The most rows of state per slot; what the engine allows if absent. */
  stateRows?: number
}

/** Opens `<folder>/<name>.onnx`. `run` and opening block the calling thread: one worker thread per model. */
export async function openSession(
  folder: string,
  name: string,
  signature: GraphSignature,
  { threads, stateRows = signature.stateRows }: SessionOptions,
): Promise<Session> {
  const session = await InferenceSession.create(join(folder, `${name}.onnx`), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // A pattern is kept per input shape, and lengths differ with every request: it only takes memory.
    enableMemPattern: false,
  })
  return new OnnxRuntimeSession(session, signature, Math.min(stateRows, signature.stateRows))
}

class OnnxRuntimeSession implements Session {
  private readonly slots = new Map<number, StateRows>()
  private readonly plainOutputs: readonly string[]
  private readonly stateOutputs: readonly string[]

  constructor(
    private readonly session: InferenceSession,
    readonly signature: GraphSignature,
    private readonly stateRows: number,
  ) {
    this.stateOutputs = signature.state.map((tensor) => tensor.fresh)
    const state = new Set(this.stateOutputs)
    this.plainOutputs = signature.outputs.map((output) => output.name).filter((name) => !state.has(name))
  }

  async run(feeds: Feeds, use?: StateUse, outputs: readonly string[] = this.plainOutputs): Promise<Fetches> {
    const inputs: Record<string, Tensor> = {}
    for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toTensor(tensor)
    if (!use) return fetched(await this.session.run(inputs, [...outputs]), outputs)

    const rows = this.rows(use.slot)
    for (const [name, tensor] of rows.read(use.past)) inputs[name] = toTensor(tensor)
    const results = await this.session.run(inputs, [...outputs, ...this.stateOutputs])
    rows.append(use.past, (name) => {
      const { data, dims } = results[name]!
      return { data: data as Float32Array, rows: dims[2]! }
    })
    return fetched(results, outputs)
  }

  release(slot: number): void {
    this.slots.delete(slot)
  }

  async dispose(): Promise<void> {
    this.slots.clear()
    await this.session.release()
  }

  private rows(slot: number): StateRows {
    let rows = this.slots.get(slot)
    if (!rows) {
      rows = new StateRows(this.signature.state, this.stateRows)
      this.slots.set(slot, rows)
    }
    return rows
  }
}

function toTensor({ dtype, data, dims }: HostTensor): Tensor {
  return new Tensor(dtype as 'float32', data as Float32Array, dims)
}

function fetched(results: InferenceSession.ReturnType, names: readonly string[]): Fetches {
  return Object.fromEntries(
    names.map((name) => {
      const { type, data, dims } = results[name]!
      return [name, { dtype: type, data, dims } as HostTensor]
    }),
  )
}
