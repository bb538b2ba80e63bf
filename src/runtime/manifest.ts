/** An engine's manifest: what it was made from, what it consists of, how its graphs are called. */
import type { GraphSignature } from './session.js'

export type Runtime = 'onnxruntime' | 'tensorrt'
export type Family = 'whisper' | 'llama' | 'kokoro'

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

export interface Manifest {
  readonly model: string
  readonly family: Family
  readonly runtime: Runtime
  /** Identity of the code that built the engine. */
  readonly builder: string
  readonly options: Readonly<Record<string, unknown>>
  /** Of TensorRT's engines only. */
  readonly device?: DeviceIdentity
  readonly parameters: number
  /** The checkpoint's files, by path within its folder. */
  readonly sources: Readonly<Record<string, FileRecord>>
  /** The engine's files, by path within its folder. */
  readonly files: Readonly<Record<string, FileRecord>>
  readonly graphs: Readonly<Record<string, GraphSignature>>
}

export const MANIFEST = 'manifest.json'
