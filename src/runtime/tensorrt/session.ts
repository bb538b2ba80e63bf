/** Sessions on TensorRT: state stays on the GPU, and only feeds and wanted outputs cross. */
import { setImmediate as turnOfEvents } from 'node:timers/promises'
import type { DeviceBuffer, Dims, ExecutionContext, Native, Engine as Plan, Stream } from '../addon.js'
import type { DType, Feeds, Fetches, GraphSignature, Profile, Session, SlotUse } from '../session.js'
import { batchSizes, spans } from './batches.js'
import { type Border, isReplayed } from './border.js'
import { bindCallers, bindSlots, largestBytes, setShapes } from './contexts.js'
import { bytesOf } from './dtypes.js'
import { type Lane, Lanes, laneCount } from './lanes.js'
import type { Residents } from './residents.js'
import { extent, fittingProfile, profilesOf, resolve, type Sizes, sizesOf, within } from './sizes.js'
import { firstSlot, RowCounts, SlotMemory } from './slots.js'
import { Staging, type Turn } from './staging.js'

/** A plan on the GPU, and what its signature says of it. */
export interface LoadedGraph {
  readonly plan: Plan
  readonly signature: GraphSignature
  readonly border: Border
}

/** What the sessions of an engine share. */
export interface Shared {
  readonly native: Native
  readonly stream: Stream
  readonly residents: Residents
  /** Enough for every profile of every graph: one stream puts all their work in order. Null if none needs any. */
  readonly activations: DeviceBuffer | null
}

const isKept = ({ idle }: SlotUse): boolean => !idle

/** The contexts that a session makes for a profile. */
function contextCount({ border, signature }: LoadedGraph, profile: Profile): number {
  const keys = Object.values(profile.sizes).reduce(
    (product, [least, , most]) => product * (most - least + 1),
    1,
  )
  return laneCount(isReplayed(border, profile), keys * signature.slots)
}

export class TensorRtSession implements Session {
  readonly signature: GraphSignature
  private readonly border: Border
  private readonly profiles: readonly Profile[]
  /** Sizes of the batch that are recorded for good, the smallest first. */
  private readonly batches: readonly number[]
  private readonly dtypes: ReadonlyMap<string, DType>
  private readonly state: SlotMemory
  private readonly counts: RowCounts
  private readonly staging: Staging
  private readonly lanes: readonly Lanes[]
  private disposed = false

  /** Takes all memory that it will ever need. @throws NativeError `memory` */
  constructor(
    loaded: LoadedGraph,
    private readonly shared: Shared,
    stateRows: number,
  ) {
    const { plan, signature, border } = loaded
    const { native, stream, activations } = shared
    this.signature = signature
    this.border = border
    this.profiles = profilesOf(signature)
    this.batches = batchSizes(border, this.profiles)
    this.dtypes = new Map(border.outputs.map(({ name, dtype }) => [name, dtype]))
    this.counts = new RowCounts(signature.slots, Math.min(stateRows, signature.stateRows))
    const made: { dispose(): void }[] = []
    try {
      const keep = <T extends { dispose(): void }>(resource: T): T => {
        made.push(resource)
        return resource
      }
      this.state = keep(new SlotMemory(native, signature.slots, border.state))
      const contexts = this.profiles.map((profile, index) =>
        Array.from({ length: contextCount(loaded, profile) }, () =>
          keep(plan.createContext(index, stream, activations ?? undefined)),
        ),
      )
      const first = contexts.map((list) => list[0]!)
      this.staging = keep(new Staging(native, largestBytes(border, this.profiles, first)))
      for (const context of contexts.flat()) bindCallers(context, border, this.staging)
      this.lanes = contexts.map((list, index) =>
        keep(new Lanes(list, stream, isReplayed(border, this.profiles[index]!))),
      )
      this.warmUp()
    } catch (error) {
      for (const resource of made.reverse()) resource.dispose()
      throw error
    }
  }

  async run(
    feeds: Feeds,
    uses: readonly SlotUse[] = [],
    outputs: readonly string[] = [...this.dtypes.keys()],
  ): Promise<Fetches> {
    if (this.disposed) throw new Error('the session is closed')
    const unknown = outputs.find((name) => !this.dtypes.has(name))
    if (unknown !== undefined) throw new Error(`the graph has no output ${unknown} for its caller`)
    const sizes = sizesOf(this.border.inputs, feeds, this.batchOf(uses))
    const profile = fittingProfile(this.profiles, sizes)
    const turn = await this.staging.take()
    try {
      const first = this.enter(uses, sizes)
      for (const { name } of this.border.inputs) this.staging.write(turn, name, feeds[name]!)
      const shapes = this.enqueue(turn, profile, sizes, first, outputs)
      this.leave(uses, sizes)
      // A cancellation gets in here, and another run may be prepared while the GPU works on this one.
      await turnOfEvents()
      turn.done.synchronize()
      return Object.fromEntries(
        outputs.map((name) => [
          name,
          this.staging.read(turn, name, this.dtypes.get(name)!, shapes.get(name)!),
        ]),
      )
    } finally {
      turn.release()
    }
  }

  /** Profiles whose runs were to be replayed, but can not be recorded. */
  get unrecorded(): readonly string[] {
    const names = this.profiles.map((profile, index) =>
      isReplayed(this.border, profile) && !this.lanes[index]!.replays ? profile.name : null,
    )
    return names.filter((name) => name !== null)
  }

  together(slots: readonly number[]): number[][] {
    return spans(slots, this.signature.slots, this.batches)
  }

  /** All memory is there from the beginning. @throws Error for more rows than a slot has, or a slot that is not there */
  reserve(slot: number, rows: number): boolean {
    this.counts.checkRoom(slot, rows)
    return true
  }

  copy(from: number, to: number, rows: number): void {
    if (this.disposed) throw new Error('the session is closed')
    this.counts.copied(from, to, rows)
    if (from !== to) this.state.copyRows(this.shared.stream, from, to, rows)
  }

  release(slot: number): void {
    this.counts.release(slot)
    this.shared.residents.release(slot)
  }

  async dispose(): Promise<void> {
    if (this.disposed) return
    this.disposed = true
    this.shared.stream.synchronize()
    for (const lanes of this.lanes) lanes.dispose()
    this.staging.dispose()
    this.state.dispose()
  }

  /** The batch's size, where it has a symbol. @throws Error when the graph uses slots and the run none, or the reverse */
  private batchOf({ length }: readonly SlotUse[]): Sizes {
    const { batch } = this.border
    if (batch === null && length > 0) throw new Error('the graph has no slots, but the run names some')
    if (batch !== null && length === 0) throw new Error('the graph works on slots, but the run names none')
    if (typeof batch === 'number' && batch !== length)
      throw new Error(`the graph takes ${batch} slots at once, but the run names ${length}`)
    return typeof batch === 'string' ? { [batch]: length } : {}
  }

  /** The first slot, when all slots are ready for the run. */
  private enter(uses: readonly SlotUse[], sizes: Sizes): number {
    if (uses.length === 0) return 0
    const first = firstSlot(uses, this.signature.slots)
    this.shared.residents.require(this.border.residentInputs, uses.filter(isKept))
    if (this.border.state.length > 0) this.counts.check(uses, this.rowsOf(sizes))
    return first
  }

  private leave(uses: readonly SlotUse[], sizes: Sizes): void {
    this.shared.residents.make(this.border.residentOutputs, uses.filter(isKept))
    if (this.border.state.length > 0) this.counts.written(uses, this.rowsOf(sizes))
  }

  private rowsOf(sizes: Sizes): number {
    const { rows } = this.border
    return typeof rows === 'string' ? sizes[rows]! : (rows ?? 0)
  }

  /** Puts a run into the stream; the dimensions of the outputs. */
  private enqueue(
    turn: Turn,
    profile: number,
    sizes: Sizes,
    first: number,
    outputs: readonly string[],
  ): ReadonlyMap<string, Dims> {
    const { stream } = this.shared
    const lanes = this.lanes[profile]!
    const key = [first, ...Object.entries(sizes).sort().flat()].join(' ')
    const lane = lanes.take({ key, prepare: (context) => this.prepare(context, sizes, first) })
    for (const name of this.border.hostInputs)
      lane.context.setAddress(name, turn.pinned, this.staging.offset(name))
    const fed = this.border.inputs.filter(({ name }) => !this.border.hostInputs.has(name))
    const uploads = fed.map(({ name, dtype, dims }) => [name, bytesOf(dtype, resolve(dims, sizes)!)] as const)
    this.staging.upload(turn, stream, new Map(uploads))
    lanes.enqueue(turn.done)
    const downloads = outputs.map(
      (name) => [name, bytesOf(this.dtypes.get(name)!, this.shapeOf(lane, name))] as const,
    )
    this.staging.download(turn, stream, new Map(downloads))
    stream.record(turn.done)
    return lane.shapes
  }

  private shapeOf({ context, shapes }: Lane, name: string): Dims {
    const dims = shapes.get(name) ?? context.shape(name)
    shapes.set(name, dims)
    return dims
  }

  private prepare(context: ExecutionContext, sizes: Sizes, first: number): void {
    setShapes(context, this.border, sizes)
    bindSlots(context, this.border, { state: this.state, residents: this.shared.residents.memory }, first)
  }

  /** Runs every profile on zeros, so that no request waits for what a first run does, and leaves nothing behind. */
  private warmUp(): void {
    const { stream, residents } = this.shared
    const turn = this.staging.blank()
    const outputs = [...this.dtypes.keys()]
    for (const [index, profile] of this.profiles.entries()) {
      // The second run of the same sizes is the one that is recorded.
      const kinds = this.lanes[index]!.replays
        ? this.batches.flatMap((size) => [within(profile, size), within(profile, size)])
        : [extent(profile, 'likeliest')]
      for (const sizes of kinds) this.enqueue(turn, index, sizes, 0, outputs)
    }
    this.state.clear(stream)
    if (this.border.residentOutputs.length > 0) residents.clear(stream)
    stream.synchronize()
  }
}
