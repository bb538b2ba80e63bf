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

/** What of SLOTS and KV_MEMORY is part of a family's engine on TensorRT: Whisper's rows follow from its slots. */
const parts: Record<Family, readonly ('slots' | 'stateBytes')[]> = {
  whisper: ['slots'],
  llama: ['slots', 'stateBytes'],
  kokoro: [],
}

/** The options that are part of a family's engine. */
export function engineOptions(family: Family, settings: EngineSettings): Identity['options'] {
  const precision = settings.precision ?? precisions[settings.runtime][0]
  if (settings.runtime === 'onnxruntime') return { precision }
  return { precision, ...Object.fromEntries(parts[family].map((part) => [part, settings[part]])) }
}

/**
 * The identity that engines need here, by family.
 * @throws SetupError for TensorRT, when its addon, its libraries, the driver or the GPU is missing
 */
export function engineIdentities(settings: EngineSettings): (family: Family) => Identity {
  const device = settings.runtime === 'tensorrt' ? { device: deviceIdentity(settings) } : {}
  return (family) => ({
    builder: builderIdentity(family),
    options: engineOptions(family, settings),
    ...device,
  })
}

/** How an engine's identity differs from the one needed: a clause for "The engine in … ", or undefined if it does not. */
export function difference(found: Identity, needed: Identity): string | undefined {
  if (found.builder !== needed.builder) return 'was built by another version of this program'
  const options = Object.keys({ ...found.options, ...needed.options }) as (keyof Identity['options'])[]
  for (const option of options) {
    const [was, is] = [found.options[option], needed.options[option]]
    if (was !== is)
      return `was built with other options (${option} ${was ?? 'unset'} instead of ${is ?? 'unset'})`
  }
  if (JSON.stringify(found.device) === JSON.stringify(needed.device)) return undefined
  return `was built for ${machine(found.device)}, and this is ${machine(needed.device)}`
}

function machine(device: DeviceIdentity | undefined): string {
  if (!device) return 'a machine without TensorRT'
  const { tensorrt, cuda, sm, name, driver } = device
  return `TensorRT ${tensorrt} with CUDA ${cuda} on ${name} (SM ${sm}, driver of CUDA ${driver})`
}
