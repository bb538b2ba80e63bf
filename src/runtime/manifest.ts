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

export interface Manifest {
  readonly model: string
  readonly family: Family
  readonly runtime: Runtime
  /** Identity of the code that built the engine. */
  readonly builder: string
  readonly options: Readonly<Record<string, unknown>>
  readonly parameters: number
  /** The checkpoint's files, by path within its folder. */
  readonly sources: Readonly<Record<string, FileRecord>>
  /** The engine's files, by path within its folder. */
  readonly files: Readonly<Record<string, FileRecord>>
  readonly graphs: Readonly<Record<string, GraphSignature>>
}

export const MANIFEST = 'manifest.json'
