/**
 * The execution contexts of one profile. Where a profile is replayed, each has the sizes and the slots that it is
 * bound to for itself, because a recorded graph depends on what its context was last prepared for.
 */
import type { Dims, Event, ExecutionContext, Graph, Stream } from '../addon.js'

/** Recorded graphs of a profile: they differ by batch size and first slot. Each costs a context's own memory. */
export const MOST_RECORDED = 8

/** What a context is prepared for; `key` tells it from others. */
export interface Preparation {
  readonly key: string
  /** Sets shapes and addresses. */
  prepare(context: ExecutionContext): void
}

/** A context, and what it is prepared for. */
export interface Lane {
  readonly context: ExecutionContext
  /** Dimensions of outputs, as they are for the key. */
  readonly shapes: Map<string, Dims>
}

interface LaneState extends Lane {
  shapes: Map<string, Dims>
  key: string | null
  /** Whether it has run since it was prepared: only then may it be recorded. */
  ran: boolean
  graph: Graph | null
  /** Happens behind its last run. */
  done: Event | null
}

export class Lanes {
  /** The least recently used first. */
  private readonly lanes: LaneState[]
  private recordable: boolean

  /** @param replayed whether runs are recorded and replayed */
  constructor(
    contexts: readonly ExecutionContext[],
    private readonly stream: Stream,
    replayed: boolean,
  ) {
    this.recordable = replayed
    this.lanes = contexts.map((context) => ({
      context,
      shapes: new Map(),
      key: null,
      ran: false,
      graph: null,
      done: null,
    }))
  }

  /** Whether runs are still recorded: not when something in them could not be. */
  get replays(): boolean {
    return this.recordable
  }

  /** The lane for a run: one that is prepared for it already, or the one that was not used for longest. */
  take({ key, prepare }: Preparation): Lane {
    const found = this.lanes.findIndex((lane) => lane.key === key)
    const [lane] = this.lanes.splice(Math.max(found, 0), 1) as [LaneState]
    this.lanes.push(lane)
    if (found >= 0) return lane
    // TensorRT does not promise that a context may be reshaped while it works. Mostly it does not: runs are awaited.
    lane.done?.synchronize()
    lane.graph?.dispose()
    // Until all is set it is prepared for nothing.
    Object.assign(lane, { key: null, ran: false, graph: null, shapes: new Map() })
    prepare(lane.context)
    lane.key = key
    return lane
  }

  /**
   * Enqueues the run that the lane taken last is prepared for.
   * @param done what the caller records behind it
   */
  enqueue(done: Event): void {
    const lane = this.lanes.at(-1)!
    if (!lane.graph && lane.ran && this.recordable) lane.graph = this.record(lane)
    if (lane.graph) lane.graph.launch(this.stream)
    else lane.context.enqueue(this.stream)
    Object.assign(lane, { ran: true, done })
  }

  /** Null, and no more recording, where something in the run can not be recorded. */
  private record({ context }: LaneState): Graph | null {
    let refused = false
    // What the first run has still to prepare must not come into the recording.
    this.stream.synchronize()
    this.stream.beginCapture()
    try {
      context.enqueue(this.stream)
    } catch {
      // Without recording it is enqueued again, and fails again if recording was not the reason.
      refused = true
    }
    const graph = this.stream.endCapture()
    if (graph && !refused) return graph
    graph?.dispose()
    this.recordable = false
    return null
  }

  dispose(): void {
    for (const { graph, context } of this.lanes) {
      graph?.dispose()
      context.dispose()
    }
  }
}

/** How many contexts a profile gets. @param keys how many different runs there can be */
export const laneCount = (replayed: boolean, keys: number): number =>
  replayed ? Math.min(keys, MOST_RECORDED) : 1
