/** Every message that crosses between a build and the process in which TensorRT makes one plan. */
import type { BuildOptions, BuildProgress } from '../runtime/addon.js'
import type { NativeSettings } from '../runtime/native.js'

/** The one message to the process: what to build, on which GPU. */
export interface PlanJob extends NativeSettings {
  readonly options: BuildOptions
}

export type FromPlanner =
  | { readonly kind: 'progress'; readonly progress: BuildProgress }
  | { readonly kind: 'built' }
  /** `setup`: the sentence is for the operator as it is. */
  | { readonly kind: 'failed'; readonly message: string; readonly setup: boolean; readonly stack: string }
