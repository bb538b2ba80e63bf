/** What the service tells of itself, at both edges. */
import type { ModelInfo } from '../runtime/protocol.js'

export interface ServiceInfo {
  readonly version: string
  readonly runtime: string
  readonly models: readonly ModelInfo[]
  /** `performance.now()` at which the service was ready. */
  readonly readyAt: number
}

export function uptimeSeconds({ readyAt }: ServiceInfo): number {
  return Math.round((performance.now() - readyAt) / 1000)
}
