/** What a family's build half hands to the build: graphs to write and files to take along. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { SetupError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import type { GraphSignature, StateTensor } from '../runtime/session.js'

/**
 * `float32`: every linear layer with the dequantised matrix, as the goldens were made.
 * `int8`: the fast kernels, which quantise activations where that pays; docs/cpu-forms.md has the loss.
 */
export type Precision = 'float32' | 'int8'

export interface PlannedGraph {
  readonly graph: Graph
  /** Self-attention rows that the graph keeps between runs, and how many a sequence may have. */
  readonly state?: readonly StateTensor[]
  readonly stateRows?: number
}

export interface EnginePlan {
  readonly graphs: readonly PlannedGraph[]
  /** Files and folders of the checkpoint that the run half reads; copied into the engine. */
  readonly assets: readonly string[]
}

/** How a session calls the graph. */
export function signatureOf({ graph, state = [], stateRows = 0 }: PlannedGraph): GraphSignature {
  return { inputs: graph.inputs, outputs: graph.outputs, state, stateRows }
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
