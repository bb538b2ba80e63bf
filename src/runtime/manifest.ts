/** An engine's manifest: what it was made from and for, what it consists of, how its graphs are called. */
import type { GraphSignature } from './session.js'

export type Runtime = 'onnxruntime' | 'tensorrt'
export type Family = 'whisper' | 'llama' | 'kokoro'

/**
 * How a network computes; the first is the runtime's default. On a CPU:
 * - `float32`: every linear layer with the dequantised matrix, as the goldens were made.
 * - `int8`: the fast kernels, which quantise activations where that pays; docs/cpu-forms.md has the loss.
 *
 * On TensorRT:
 * - `float32`; `float16` and `bfloat16`: all but what needs float32.
 * - `int8`, `int4`, `fp8`: weights of linear layers in that type, everything else in float16.
 */
export const precisions = {
  onnxruntime: ['int8', 'float32'],
  tensorrt: ['float16', 'bfloat16', 'float32', 'int8', 'int4', 'fp8'],
} as const satisfies Record<Runtime, readonly string[]>
export type Precision = (typeof precisions)[Runtime][number]
export type CpuPrecision = (typeof precisions)['onnxruntime'][number]

export interface FileRecord {
  readonly size: number
  /** Modification time in ms: equal size and time mean an unchanged file, without reading it. */
  readonly mtimeMs: number
  readonly sha256: string
}

/** What a TensorRT engine is tied to: it runs nowhere else, or not as fast. */
export interface DeviceIdentity {
  /** Version of TensorRT as `11.1.0.106`. */
  readonly tensorrt: string
  /** Version of CUDA's runtime as `13.3`. */
  readonly cuda: string
  /** Compute capability as `89`. */
  readonly sm: number
  readonly name: string
  /** The CUDA version that the driver supports, as `13.3`. */
  readonly driver: string
}

/** All that an engine's content follows from, but for the checkpoint. */
export interface Identity {
  /** Identity of the code that built the engine. */
  readonly builder: string
  readonly options: {
    readonly precision: Precision
    /** TensorRT: sequences that run together. */
    readonly slots?: number
    /** TensorRT: bytes of the self-attention state of all slots of a language model. */
    readonly stateBytes?: number
  }
  /** Of TensorRT's engines only. */
  readonly device?: DeviceIdentity
}

export interface Manifest extends Identity {
  readonly model: string
  readonly family: Family
  readonly runtime: Runtime
  readonly parameters: number
  /** The checkpoint's files, by path within its folder. */
  readonly sources: Readonly<Record<string, FileRecord>>
  /** The engine's files, by path within its folder. */
  readonly files: Readonly<Record<string, FileRecord>>
  readonly graphs: Readonly<Record<string, GraphSignature>>
}

export const MANIFEST = 'manifest.json'
