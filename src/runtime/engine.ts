/** An opened engine folder: sessions on its graphs, and the memory that they share. */
import { Cores } from './cores.js'
import type { Manifest } from './manifest.js'
import type { Residents } from './onnxruntime.js'
import type { GraphSignature, Session, StateLimits } from './session.js'
import { needsBuild } from './store.js'

export interface EngineOptions {
  /** ONNX Runtime: threads of one run. */
  readonly threads: number
  /** ONNX Runtime: shared with the other models of the process; its own if absent. */
  readonly cores?: Cores
  /** TensorRT: index of the GPU; 0 if absent. */
  readonly device?: number
  /** TensorRT: folder of its libraries; null or absent: where the loader finds them. */
  readonly libraries?: string | null
}

/** Bytes of a GPU's memory. */
export interface DeviceMemory {
  /** The GPU's name. */
  readonly device: string
  /** What the engine has taken, with what CUDA loads for it; a process's hold on the GPU itself is not among it. */
  readonly taken: number
  /** What is left, for all. */
  readonly free: number
  readonly total: number
}

export interface Engine {
  /** @throws SetupError when the engine has no such graph */
  open(graph: string, limits?: StateLimits): Promise<Session>
  /** The GPU's memory as it is now; null for an engine on the CPU. */
  memory(): DeviceMemory | null
  /** Sentences on what works, but not as it should. */
  warnings(): readonly string[]
  /** Frees what its sessions shared, when they are disposed of. */
  dispose(): Promise<void>
}

/**
 * Opens the engine in `folder` on the runtime that its manifest names; the other one is not even loaded.
 * @throws SetupError when that runtime, or what it needs of the machine, is not there
 */
export async function openEngine(
  folder: string,
  manifest: Manifest,
  { threads, cores = new Cores(), device = 0, libraries = null }: EngineOptions,
): Promise<Engine> {
  if (manifest.runtime === 'tensorrt') {
    const [{ openTensorRt }, { openGpu }] = await Promise.all([
      import('./tensorrt/engine.js'),
      import('./tensorrt/library.js'),
    ])
    return openTensorRt(folder, manifest, openGpu({ device, libraries }))
  }
  const { openSession } = await import('./onnxruntime.js')
  const residents: Residents = new Map()
  return {
    open: (graph, limits) =>
      openSession(folder, graph, signatureOf(manifest, graph), { threads, cores, residents, ...limits }),
    memory: () => null,
    warnings: () => [],
    dispose: async () => residents.clear(),
  }
}

function signatureOf({ model, graphs }: Manifest, graph: string): GraphSignature {
  const signature = graphs[graph]
  if (!signature) throw needsBuild(`The engine ${model} has no graph ${graph}`)
  return signature
}
