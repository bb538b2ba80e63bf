/** An engine on TensorRT: its plans on the GPU, what its sessions share, and the memory it takes. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine as Plan } from '../addon.js'
import type { DeviceMemory, Engine } from '../engine.js'
import type { Manifest } from '../manifest.js'
import type { Session, StateLimits } from '../session.js'
import { needsBuild } from '../store.js'
import { borderOf } from './border.js'
import { type Gpu, isNativeError, refuseForeign } from './library.js'
import { activationBytes, type Need, needOf, type Place, refuseTooLarge, tooLarge } from './memory.js'
import { Residents } from './residents.js'
import { type LoadedGraph, type Shared, TensorRtSession } from './session.js'

/**
 * Reads the plans of the engine in `folder` to this thread's GPU.
 * @throws SetupError when they were built for another one, or when a plan or memory for them is missing
 */
export function openTensorRt(folder: string, manifest: Manifest, gpu: Gpu): Engine {
  refuseForeign(folder, manifest, gpu)
  return new TensorRtEngine(folder, manifest, gpu)
}

class TensorRtEngine implements Engine {
  private readonly plans: Plan[] = []
  private readonly graphs = new Map<string, LoadedGraph>()
  private readonly slow: string[] = []
  /** The GPU's memory as it was before. */
  private readonly place: Place
  /** As far as it is known. */
  private need: Need
  /** Bytes that are taken of it. */
  private held = 0
  private readonly shared: Shared

  constructor(
    folder: string,
    private readonly manifest: Manifest,
    private readonly gpu: Gpu,
  ) {
    this.place = { name: gpu.device.name, ...gpu.native.memory() }
    const paths = new Map(Object.keys(manifest.graphs).map((graph) => [graph, join(folder, `${graph}.plan`)]))
    const missing = [...paths.values()].find((path) => !existsSync(path))
    if (missing !== undefined) throw needsBuild(`There is no ${missing}`, 'tensorrt')
    const weights = [...paths.values()].reduce((sum, path) => sum + statSync(path).size, 0)
    this.need = { weights, state: 0, activations: 0, buffers: 0 }
    refuseTooLarge(manifest.model, this.need, this.place)
    try {
      for (const [graph, path] of paths) this.sentence(() => this.load(graph, path))
      // What the plans have taken, all else being still to come.
      const taken = Math.max(this.place.free - gpu.native.memory().free, weights)
      this.need = needOf([...this.graphs.values()], taken)
      refuseTooLarge(manifest.model, this.need, this.place)
      this.shared = this.share()
    } catch (error) {
      for (const plan of this.plans) plan.dispose()
      throw error
    }
  }

  async open(graph: string, { stateRows }: StateLimits = {}): Promise<Session> {
    const loaded = this.graphs.get(graph)
    if (!loaded) throw needsBuild(`The engine ${this.manifest.model} has no graph ${graph}`, 'tensorrt')
    const rows = stateRows ?? loaded.signature.stateRows
    const session = this.sentence(() => new TensorRtSession(loaded, this.shared, rows))
    for (const profile of session.unrecorded)
      this.slow.push(
        `The graph ${graph} can not be recorded and replayed (profile ${profile}): every run of it is launched kernel by kernel, which is slower.`,
      )
    return session
  }

  memory(): DeviceMemory {
    const { free, total } = this.gpu.native.memory()
    return { device: this.place.name, taken: this.place.free - free, free, total }
  }

  warnings(): readonly string[] {
    return this.slow
  }

  async dispose(): Promise<void> {
    this.shared.stream.synchronize()
    this.shared.residents.dispose()
    this.shared.activations?.dispose()
    this.shared.stream.dispose()
    for (const plan of this.plans.splice(0)) plan.dispose()
  }

  private load(graph: string, path: string): void {
    const signature = this.manifest.graphs[graph]!
    const plan = this.read(path)
    this.plans.push(plan)
    this.graphs.set(graph, { plan, signature, border: borderOf(graph, signature, plan) })
  }

  private read(path: string): Plan {
    try {
      return this.gpu.native.loadEngine(path)
    } catch (error) {
      if (isNativeError(error, 'tensorrt'))
        throw needsBuild(`${path} can not be read (${error.message})`, 'tensorrt')
      throw error
    }
  }

  private share(): Shared {
    const { native } = this.gpu
    return this.sentence(() => {
      const graphs = [...this.graphs.values()]
      const slots = Math.max(...graphs.map(({ signature }) => signature.slots), 0)
      const borders = graphs.map(({ border }) => border)
      const bytes = activationBytes(graphs)
      return {
        native,
        stream: new native.Stream(),
        residents: Residents.open(native, slots, borders),
        activations: bytes > 0 ? new native.DeviceBuffer(bytes) : null,
      }
    })
  }

  /** Memory that runs out all the same, because somebody else takes it, is the same sentence. */
  private sentence<T>(make: () => T): T {
    const { free } = this.gpu.native.memory()
    try {
      const made = make()
      this.held += free - this.gpu.native.memory().free
      return made
    } catch (error) {
      if (!isNativeError(error, 'memory')) throw error
      const left = this.gpu.native.memory().free + this.held
      throw tooLarge(this.manifest.model, this.need, { ...this.place, free: left }, error)
    }
  }
}
