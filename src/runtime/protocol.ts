/** Every message that crosses between the main thread and a model's thread. */
import type { WireError } from '../errors.js'
import type { DeviceMemory } from './engine.js'
import type { Family, Runtime } from './manifest.js'

/** What a model's thread is started with. */
export interface ThreadSettings {
  readonly family: Family
  readonly runtime: Runtime
  /** The engine's folder. */
  readonly folder: string
  readonly threads: number
  /** ONNX Runtime: what the models take turns by. */
  readonly cores: SharedArrayBuffer
  /** TensorRT: index of the GPU, and folder of the libraries or null. */
  readonly device: number
  readonly libraries: string | null
  /** Sequences of the language model that may run together; on TensorRT the engine has its own number. */
  readonly slots: number
  /** Bytes that the rows of self-attention state may take. */
  readonly stateBytes: number
}

/** What a loaded model tells of itself. */
export interface ModelInfo {
  readonly name: string
  readonly family: Family
  readonly parameters: number
  /** Bytes of the engine's files. */
  readonly bytes: number
  readonly loadSeconds: number
  /** The GPU's memory when the model was loaded; absent on the CPU. */
  readonly memory?: DeviceMemory
  /** Sentences on what works, but not as it should. */
  readonly warnings?: readonly string[]
  /** Calls that run at the same time; others wait. */
  readonly parallel: number
  /** Facts of the family (context length, voices, sample rate …). */
  readonly facts: Readonly<Record<string, unknown>>
}

/** Calls begin in the order of their arrival, as many at a time as the model takes. */
export type ToThread =
  | { readonly kind: 'call'; readonly id: number; readonly request: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stop' }

export type FromThread =
  | { readonly kind: 'ready'; readonly info: ModelInfo }
  /** The model could not be loaded; `setup`: the sentence is for the operator as it is. */
  | { readonly kind: 'failed'; readonly message: string; readonly setup: boolean; readonly stack?: string }
  /** What came of calls in one turn of the thread, in order: a step of the language model serves many of them. */
  | { readonly kind: 'news'; readonly news: readonly CallNews[] }

export type CallNews =
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
