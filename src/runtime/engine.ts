/** An opened engine folder: sessions on its graphs, and the memory that they share. */
import type { Manifest } from './manifest.js'
import { openSession, type Residents } from './onnxruntime.js'
import type { GraphSignature, Session } from './session.js'
import { needsBuild } from './store.js'

export interface EngineOptions {
  /** ONNX Runtime: threads of one run. */
  readonly threads: number
}

export interface Engine {
  /**
   * @param stateRows the most rows of state that a sequence may take here; what the engine allows if absent
   * @throws SetupError when the engine has no such graph
   */
  open(graph: string, stateRows?: number): Promise<Session>
}

/** Opens the engine in `folder` on the runtime that its manifest names. */
export function openEngine(folder: string, manifest: Manifest, { threads }: EngineOptions): Engine {
  const residents: Residents = new Map()
  return {
    open: (graph, stateRows) =>
      openSession(folder, graph, signatureOf(manifest, graph), {
        threads,
        residents,
        ...(stateRows ? { stateRows } : {}),
      }),
  }
}

function signatureOf({ model, graphs }: Manifest, graph: string): GraphSignature {
  const signature = graphs[graph]
  if (!signature) throw needsBuild(`The engine ${model} has no graph ${graph}`)
  return signature
}
