/** A session on the portable form of a graph for TensorRT, that keeps state and resident tensors as TensorRT's will. */

import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type PlannedGraph, signatureOf } from '#src/models/plan.js'
import type {
  Feeds,
  Fetches,
  GraphSignature,
  HostArray,
  HostTensor,
  Session,
  SlotUse,
} from '#src/runtime/session.js'
import { newFolder } from './evaluate.js'
import { portable } from './portable.js'

/** What the rows of a fresh slot hold, and a released one's again: a number that shows where it counts by mistake. */
const UNWRITTEN = 100

/** Tensors that stay between the runs of an engine's graphs: by name, then by slot. */
export type Residents = Map<string, Map<number, HostTensor>>

export interface PortableOptions {
  /** Whether what the graph has in float16 or bfloat16 is rounded to it; else all is float32. */
  readonly rounding: boolean
  /** What this session shares with those of the engine's other graphs. */
  readonly residents?: Residents
}

/** Opens a planned graph whose target is TensorRT. */
export async function openPortable(
  planned: PlannedGraph,
  { rounding, residents = new Map() }: PortableOptions,
): Promise<PortableSession> {
  const folder = newFolder()
  const graph = portable(planned.graph, { rounding })
  graph.write(folder)
  const session = await InferenceSession.create(join(folder, `${graph.name}.onnx`), {
    intraOpNumThreads: 2,
    enableMemPattern: false,
    // Else DequantizeLinear before MatMul becomes a kernel that rounds activations to int8.
    extra: { session: { disable_quant_qdq: '1' } },
  })
  return new PortableSession(session, signatureOf(planned), residents)
}

export class PortableSession implements Session {
  /** Per state tensor the memory of all slots, [slots, heads, stateRows, width]. */
  private readonly memory: Map<string, Float32Array>

  constructor(
    private readonly session: InferenceSession,
    readonly signature: GraphSignature,
    private readonly residents: Residents,
  ) {
    const { state, slots, stateRows } = signature
    this.memory = new Map(
      state.map(({ past, heads, width }) => [
        past,
        new Float32Array(slots * heads * stateRows * width).fill(UNWRITTEN),
      ]),
    )
  }

  async run(feeds: Feeds, uses: readonly SlotUse[] = [], outputs?: readonly string[]): Promise<Fetches> {
    const { state, inputs, resident, stateRows } = this.signature
    this.checkUses(uses)
    const all: Record<string, HostTensor> = { ...feeds }
    for (const { past, heads, width } of state)
      all[past] = {
        dtype: 'float32',
        dims: [uses.length, heads, stateRows, width],
        data: this.rows(past, uses, heads * width),
      }
    const read = inputs.map(({ name }) => name).filter((name) => resident.includes(name))
    for (const name of read) all[name] = stacked(uses.map(({ slot }) => this.resident(name, slot)))
    this.checkSizes(all)

    const own = new Set([...state.map(({ fresh }) => fresh), ...resident])
    const wanted = outputs ?? this.signature.outputs.map(({ name }) => name).filter((name) => !own.has(name))
    const kept = this.signature.outputs.map(({ name }) => name).filter((name) => own.has(name))
    const tensors = Object.entries(all).map(([name, { dtype, data, dims }]) => [
      name,
      new Tensor(dtype as 'float32', data as Float32Array, dims),
    ])
    const results = await this.session.run(Object.fromEntries(tensors), [...new Set([...wanted, ...kept])])
    const fetched = (name: string): HostTensor => {
      const { type, data, dims } = results[name]!
      return { dtype: type as HostTensor['dtype'], data: data as HostArray, dims }
    }
    for (const { past, fresh, heads, width } of state)
      this.rows(past, uses, heads * width).set(fetched(fresh).data as Float32Array)
    for (const name of kept.filter((name) => resident.includes(name))) this.keep(name, uses, fetched(name))
    return Object.fromEntries(wanted.map((name) => [name, fetched(name)]))
  }

  /** One run from the first slot on, as a GPU is best used. */
  together(slots: readonly number[]): number[][] {
    return [Array.from({ length: Math.max(...slots) + 1 }, (_, slot) => slot)]
  }

  reserve(slot: number, rows: number): boolean {
    const { slots, stateRows } = this.signature
    if (slot >= slots || rows > stateRows) throw new Error(`${rows} rows for slot ${slot} of ${slots}`)
    return true
  }

  copy(from: number, to: number, rows: number): void {
    for (const { past, heads, width } of this.signature.state) {
      const [source, target] = [from, to].map((slot) => this.rows(past, [{ slot, past: 0 }], heads * width))
      const head = this.signature.stateRows * width
      target!.fill(UNWRITTEN)
      for (let i = 0; i < heads; i++)
        target!.set(source!.subarray(i * head, i * head + rows * width), i * head)
    }
  }

  release(slot: number): void {
    for (const { past, heads, width } of this.signature.state)
      this.rows(past, [{ slot, past: 0 }], heads * width).fill(UNWRITTEN)
    for (const slots of this.residents.values()) slots.delete(slot)
  }

  async dispose(): Promise<void> {
    await this.session.release()
  }

  /** The part of a state tensor's memory that belongs to the slots. */
  private rows(past: string, uses: readonly SlotUse[], numbersPerRow: number): Float32Array {
    const perSlot = this.signature.stateRows * numbersPerRow
    const first = uses[0]!.slot
    return this.memory.get(past)!.subarray(first * perSlot, (first + uses.length) * perSlot)
  }

  private resident(name: string, slot: number): HostTensor {
    const tensor = this.residents.get(name)?.get(slot)
    if (!tensor) throw new Error(`${name} of slot ${slot} was not made`)
    return tensor
  }

  private keep(name: string, uses: readonly SlotUse[], { dtype, data, dims }: HostTensor): void {
    const slots = this.residents.get(name) ?? new Map<number, HostTensor>()
    this.residents.set(name, slots)
    const share = data.length / uses.length
    for (const [i, { slot }] of uses.entries())
      slots.set(slot, {
        dtype,
        dims: [1, ...dims.slice(1)],
        data: data.slice(i * share, (i + 1) * share),
      })
  }

  private checkUses(uses: readonly SlotUse[]): void {
    const { state, resident, slots } = this.signature
    const keeps = state.length + resident.length > 0
    if (keeps !== uses.length > 0) throw new Error(`${uses.length} slots for a graph that keeps ${keeps}`)
    for (const [i, { slot }] of uses.entries())
      if (slot !== uses[0]!.slot + i || slot >= slots)
        throw new Error(`slot ${slot} of ${slots} at row ${i} of the batch: slots follow one another`)
  }

  /** Sizes that belong together are equal, and some profile has room for them. */
  private checkSizes(tensors: Feeds): void {
    const sizes: Record<string, number> = {}
    for (const { name, dims } of this.signature.inputs) {
      const actual = tensors[name]?.dims
      if (actual?.length !== dims.length) throw new Error(`${name} has sizes ${actual}, not [${dims}]`)
      for (const [axis, size] of actual.entries()) {
        const dim = dims[axis]!
        if (typeof dim === 'string' && !Object.hasOwn(sizes, dim)) sizes[dim] = size
        const wanted = typeof dim === 'number' ? dim : sizes[dim]
        if (size !== wanted) throw new Error(`${name} has sizes ${actual}, not [${dims}] (${dim}: ${wanted})`)
      }
    }
    const fits = this.signature.profiles.some((profile) =>
      Object.entries(sizes).every(([dim, size]) => {
        const [least, , most] = profile.sizes[dim] ?? [0, 0, -1]
        return least <= size && size <= most
      }),
    )
    if (!fits) throw new Error(`no profile has room for ${JSON.stringify(sizes)}`)
  }
}

/** Tensors [1, …] as one [n, …]. */
function stacked(tensors: readonly HostTensor[]): HostTensor {
  const [first] = tensors
  if (tensors.length === 1) return first!
  const share = first!.data.length
  const data = new Float32Array(tensors.length * share)
  for (const [i, tensor] of tensors.entries()) data.set(tensor.data as Float32Array, i * share)
  return { dtype: 'float32', dims: [tensors.length, ...first!.dims.slice(1)], data }
}
