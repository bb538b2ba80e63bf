/** Sessions on ONNX Runtime's CPU provider. */
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Cores } from './cores.js'
import type { Feeds, Fetches, GraphSignature, HostTensor, Session, SlotUse, StateLimits } from './session.js'
import { HostState } from './state.js'

/** Tensors that stay between the runs of an engine's graphs: by slot, then by name. */
export type Residents = Map<number, Map<string, HostTensor>>

/** What state may take where nobody says. */
const STATE_BYTES = 2 ** 29

export interface SessionOptions extends StateLimits {
  /** Threads of one run; never more than cores (3 on 2 cores is 1.5 to 2 times slower). */
  threads: number
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
  options: SessionOptions,
): Promise<Session> {
  const { threads, cores = new Cores(), residents = new Map() } = options
  const { stateRows = signature.stateRows, stateBytes = STATE_BYTES } = options
  const session = await InferenceSession.create(join(folder, `${name}.onnx`), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Softmax leaves denormal weights, with which products are many times slower: they count as zero. ONNX Runtime sees to
    // that on its own threads and, JavaScript included, on the one that opens the process's first session; on any other
    // that runs a session, which takes its share of the work, they stay what they are.
    extra: { session: { set_denormal_as_zero: '1' } },
    // A pattern is kept per input shape, and lengths differ with every request: it only takes memory.
    enableMemPattern: false,
  })
  const limits = { rows: Math.min(stateRows, signature.stateRows), bytes: stateBytes }
  const state = new HostState(signature.state, limits)
  return new OnnxRuntimeSession(session, signature, state, residents, cores)
}

class OnnxRuntimeSession implements Session {
  private readonly plainOutputs: readonly string[]
  private readonly stateOutputs: readonly string[]
  private readonly residentInputs: readonly string[]
  private readonly residentOutputs: readonly string[]

  constructor(
    private readonly session: InferenceSession,
    readonly signature: GraphSignature,
    private readonly state: HostState,
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
    const [use] = uses
    if (!use) return fetched(await this.infer(inputs, outputs), outputs)
    if (uses.length > 1 && this.signature.resident.length > 0)
      throw new Error('graphs with resident tensors take one sequence at a time here')

    for (const name of this.residentInputs) inputs[name] = toTensor(this.resident(use.slot, name))
    const rows = this.stateOutputs.length > 0 ? this.rowsOf(feeds) : 0
    if (rows > 0) for (const [name, tensor] of this.state.read(uses, rows)) inputs[name] = toTensor(tensor)
    const wanted = new Set([...outputs, ...this.stateOutputs, ...this.residentOutputs])
    const results = await this.infer(inputs, [...wanted])
    if (rows > 0) this.state.append(uses, rows, (name) => results[name]!.data as Float32Array)
    if (this.residentOutputs.length > 0) {
      const kept = fetched(results, this.residentOutputs)
      this.residents.set(use.slot, new Map(Object.entries(kept)))
    }
    return fetched(results, outputs)
  }

  together(slots: readonly number[]): readonly (readonly number[])[] {
    return this.state.together(slots)
  }

  reserve(slot: number, rows: number): boolean {
    return this.state.reserve(slot, rows)
  }

  copy(from: number, to: number, rows: number): void {
    this.state.copy(from, to, rows)
  }

  private infer(
    inputs: Record<string, Tensor>,
    outputs: readonly string[],
  ): Promise<InferenceSession.ReturnType> {
    return this.cores.use(() => this.session.run(inputs, [...outputs]))
  }

  release(slot: number): void {
    this.state.release(slot)
    this.residents.delete(slot)
  }

  async dispose(): Promise<void> {
    this.state.clear()
    this.residents.clear()
    await this.session.release()
  }

  private resident(slot: number, name: string): HostTensor {
    const tensor = this.residents.get(slot)?.get(name)
    if (!tensor) throw new Error(`${name} of slot ${slot} was not made: the graph before has to run first`)
    return tensor
  }

  /** New rows of each sequence in a run: the second size of the first input. */
  private rowsOf(feeds: Feeds): number {
    const [first] = this.signature.inputs
    return feeds[first!.name]!.dims[1]!
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
