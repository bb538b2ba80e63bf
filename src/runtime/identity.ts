/** What an engine must have been made by and for to be used here, and how another one differs. */
import { builderIdentity } from './builder.js'
import {
  type DeviceIdentity,
  type Family,
  type Identity,
  type Precision,
  precisions,
  type Runtime,
} from './manifest.js'
import { deviceIdentity, type NativeSettings } from './native.js'

export interface EngineSettings extends NativeSettings {
  readonly runtime: Runtime
  /** null: the runtime's default. */
  readonly precision: Precision | null
  /** TensorRT: sequences that run together. */
  readonly slots: number
  /** TensorRT: bytes of the self-attention state of all slots of the language model. */
  readonly stateBytes: number
}

/**
 * The identity that engines need, by family.
 * @throws SetupError for TensorRT, when its addon, its libraries, the driver or the GPU is missing
 */
export function engineIdentities(settings: EngineSettings): (family: Family) => Identity {
  const { runtime, precision, slots, stateBytes } = settings
  const chosen = precision ?? precisions[runtime][0]
  if (runtime === 'onnxruntime')
    return (family) => ({ builder: builderIdentity(family), options: { precision: chosen } })
  const device = deviceIdentity(settings)
  return (family) => ({
    builder: builderIdentity(family),
    options: { precision: chosen, slots, ...(family === 'llama' ? { stateBytes } : {}) },
    device,
  })
}

/** How an engine's identity differs from the one needed: a clause for "The engine in … ", or undefined if it does not. */
export function difference(found: Identity, needed: Identity): string | undefined {
  if (found.builder !== needed.builder) return 'was built by another version of this program'
  const names = Object.keys({ ...found.options, ...needed.options })
  const option = names.find((name) => found.options[name] !== needed.options[name])
  if (option !== undefined)
    return `was built with other options (${option} ${found.options[option] ?? 'unset'} instead of ${needed.options[option] ?? 'unset'})`
  if (JSON.stringify(found.device) === JSON.stringify(needed.device)) return undefined
  return `was built for ${machine(found.device)}, and this is ${machine(needed.device)}`
}

function machine(device: DeviceIdentity | undefined): string {
  if (!device) return 'a machine without TensorRT'
  const { tensorrt, cuda, sm, name, driver } = device
  return `TensorRT ${tensorrt} with CUDA ${cuda} on ${name} (SM ${sm}, driver of CUDA ${driver})`
}
