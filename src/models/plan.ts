/** What a family's build half hands to the build: graphs to write and files to take along. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { SetupError } from '../errors.js'
import type { Graph, Target } from '../graph/graph.js'
import type { CpuPrecision, Precision } from '../runtime/manifest.js'
import type { GraphSignature, Profile, StateTensor } from '../runtime/session.js'

export { type CpuPrecision, type Precision, precisions } from '../runtime/manifest.js'

/** What a family's build half is asked for. */
export interface PlanOptions {
  readonly target: Target
  readonly precision: Precision
  /** TensorRT: sequences that run together. */
  readonly slots: number
  /** TensorRT: bytes that the self-attention rows of all slots may take, where a sequence may have fewer or more. */
  readonly stateBytes: number
}

/** Plans for ONNX Runtime, where neither slots nor rows are part of the engine. */
export const onCpu = (precision: CpuPrecision): PlanOptions => ({
  target: 'onnxruntime',
  precision,
  slots: 0,
  stateBytes: 0,
})

export interface PlannedGraph {
  readonly graph: Graph
  /** Self-attention rows that the graph keeps between runs, and how many a sequence may have. */
  readonly state?: readonly StateTensor[]
  readonly stateRows?: number
  /** Tensors at the border that stay with the engine: see GraphSignature. */
  readonly resident?: readonly string[]
  readonly slots?: number
  readonly profiles?: readonly Profile[]
  /** TensorRT: whether float32 products may lose bits of mantissa. */
  readonly tf32?: boolean
}

export interface EnginePlan {
  readonly graphs: readonly PlannedGraph[]
  /** Files and folders of the checkpoint that the run half reads; copied into the engine. */
  readonly assets: readonly string[]
}

/** How a session calls the graph. */
export function signatureOf(planned: PlannedGraph): GraphSignature {
  const { graph, state = [], stateRows = 0, resident = [], slots = 0, profiles = [] } = planned
  return { inputs: graph.inputs, outputs: graph.outputs, state, stateRows, resident, slots, profiles }
}

/** Every tensor of the checkpoint must be in some graph, or be named as unneeded: else the network is another one. */
export function refuseUnusedTensors(
  checkpoint: Checkpoint,
  graphs: readonly Graph[],
  unneeded: (name: string) => boolean,
): void {
  const used = new Set(graphs.flatMap((graph) => [...graph.used]))
  const unused = checkpoint.names.filter((name) => !used.has(name) && !unneeded(name))
  if (unused.length > 0)
    throw new SetupError(
      `The checkpoint has ${unused.length} tensors that this model family does not use (${unused.slice(0, 5).join(', ')}${unused.length > 5 ? ', …' : ''}): it is of another architecture.`,
    )
}
