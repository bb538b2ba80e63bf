/** Sessions on ONNX Runtime's CPU provider. */
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Cores } from './cores.js'
import type { Feeds, Fetches, GraphSignature, HostTensor, Session, SlotUse } from './session.js'
import { StateRows } from './state.js'

/** Tensors that stay between the runs of an engine's graphs: by slot, then by name. */
export type Residents = Map<number, Map<string, HostTensor>>

export interface SessionOptions {
  /** Threads of one run; never more than cores (3 on 2 cores is 1.5 to 2 times slower). */
  threads: number
  /** The most rows of state per slot; what the engine allows if absent. */
  stateRows?: number
  /** Turns that runs take; of its own if absent. */
  cores?: Cores
  /** What this session shares with those of the engine's other graphs. */
  residents?: Residents
}

/** Opens `<folder>/<name>.onnx`. `run` and opening block the calling thread: one worker thread per model. */
export async function openSession(
  folder: string,
  name: string,
  signature: GraphSignature,
  { threads, cores = new Cores(), stateRows = signature.stateRows, residents = new Map() }: SessionOptions,
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
  const rows = Math.min(stateRows, signature.stateRows)
  return new OnnxRuntimeSession(session, signature, rows, residents, cores)
}

class OnnxRuntimeSession implements Session {
  private readonly slots = new Map<number, StateRows>()
  private readonly plainOutputs: readonly string[]
  private readonly stateOutputs: readonly string[]
  private readonly residentInputs: readonly string[]
  private readonly residentOutputs: readonly string[]

  constructor(
    private readonly session: InferenceSession,
    readonly signature: GraphSignature,
    private readonly stateRows: number,
    private readonly residents: Residents,
    private readonly cores: Cores,
  ) {
    const stays = new Set(signature.resident)
    const names = (bindings: GraphSignature['inputs']) => bindings.map(({ name }) => name)
    this.stateOutputs = signature.state.map((tensor) => tensor.fresh)
    this.residentInputs = names(signature.inputs).filter((name) => stays.has(name))
    this.residentOutputs = names(signature.outputs).filter((name) => stays.has(name))
    const own = new Set([...this.stateOutputs, ...this.residentOutputs])
    this.plainOutputs = names(signature.outputs).filter((name) => !own.has(name))
  }

  async run(
    feeds: Feeds,
    uses: readonly SlotUse[] = [],
    outputs: readonly string[] = this.plainOutputs,
  ): Promise<Fetches> {
    const inputs: Record<string, Tensor> = {}
    for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toTensor(tensor)
    const [use, ...others] = uses
    if (others.length > 0) throw new Error('the graphs for ONNX Runtime take one sequence at a time')
    if (!use) return fetched(await this.infer(inputs, outputs), outputs)

    for (const name of this.residentInputs) inputs[name] = toTensor(this.resident(use.slot, name))
    const rows = this.rows(use.slot)
    for (const [name, tensor] of rows.read(use.past)) inputs[name] = toTensor(tensor)
    const wanted = new Set([...outputs, ...this.stateOutputs, ...this.residentOutputs])
    const results = await this.infer(inputs, [...wanted])
    rows.append(use.past, (name) => {
      const { data, dims } = results[name]!
      return { data: data as Float32Array, rows: dims[2]! }
    })
    if (this.residentOutputs.length > 0) {
      const kept = fetched(results, this.residentOutputs)
      this.residents.set(use.slot, new Map(Object.entries(kept)))
    }
    return fetched(results, outputs)
  }

  private infer(
    inputs: Record<string, Tensor>,
    outputs: readonly string[],
  ): Promise<InferenceSession.ReturnType> {
    return this.cores.use(() => this.session.run(inputs, [...outputs]))
  }

  release(slot: number): void {
    this.slots.delete(slot)
    this.residents.delete(slot)
  }

  async dispose(): Promise<void> {
    this.slots.clear()
    this.residents.clear()
    await this.session.release()
  }

  private resident(slot: number, name: string): HostTensor {
    const tensor = this.residents.get(slot)?.get(name)
    if (!tensor) throw new Error(`${name} of slot ${slot} was not made: the graph before has to run first`)
    return tensor
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
