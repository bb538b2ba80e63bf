/** What a family's run half is: one verb, run on the model's own thread. */
import type { Manifest } from '../runtime/manifest.js'
import type { Session, StateLimits } from '../runtime/session.js'

export interface ModelContext {
  /** The engine's folder, with the assets that the build took along. */
  readonly folder: string
  readonly manifest: Manifest
  /** Sequences that may run together, where the engine leaves it open. */
  readonly slots: number
  /** Bytes that self-attention rows may take. */
  readonly stateBytes: number
  open(graph: string, limits?: StateLimits): Promise<Session>
}

export interface Model<Request, Event> {
  /** What operators may want to know: context length, voices, sample rate … */
  readonly facts: Readonly<Record<string, unknown>>
  /** Calls that may run at the same time; further ones are not begun before one of these has ended. */
  readonly parallel: number
  /** Does the verb. Faults of the request are ServiceErrors; `signal` is looked at between steps. */
  run(request: Request, signal: AbortSignal): AsyncGenerator<Event>
  dispose(): Promise<void>
}
