/** The TensorRT addon: loaded where `npm run build:native` puts it, and what it says of this machine. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import type { Native } from './addon.js'
import type { DeviceIdentity } from './manifest.js'

export interface NativeSettings {
  /** Folder of TensorRT's libraries; null: where the loader finds them. */
  readonly libraries: string | null
  /** Index of the GPU. */
  readonly device: number
}

/**
 * The addon with TensorRT's libraries opened.
 * @throws SetupError when the addon is not compiled, or a library is missing or of another version
 */
export function loadNative(libraries: string | null): {
  native: Native
  versions: ReturnType<Native['load']>
} {
  const path = fileURLToPath(new URL('../../native/build/tensorrt.node', import.meta.url))
  if (!existsSync(path))
    throw new SetupError(
      `The TensorRT addon ${path} is not compiled: run \`npm run build:native\` (or \`npm start\`, which does it).`,
    )
  return sentences(() => {
    const native = createRequire(import.meta.url)(path) as Native
    return { native, versions: native.load(libraries ?? undefined) }
  })
}

/**
 * What TensorRT's engines are tied to on this machine.
 * @throws SetupError for the first thing that is missing: the addon, a library, the driver, the GPU
 */
export function deviceIdentity({ libraries, device: index }: NativeSettings): DeviceIdentity {
  const { native, versions } = loadNative(libraries)
  const devices = sentences(() => native.devices())
  const device = devices.find((candidate) => candidate.index === index)
  if (!device)
    throw new SetupError(
      `There is no GPU ${index}: DEVICE must be one of ${devices.map(({ index, name }) => `${index} (${name})`).join(', ')}.`,
    )
  const { name, sm, driver } = device
  return { tensorrt: versions.tensorrt, cuda: versions.cudaRuntime, sm, name, driver }
}

/** What the addon and the loader have to say is for the operator; the addon does not know the names of our settings. */
function sentences<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const { message, code } = error as Error & { code?: string }
    const setting = code === 'library' ? ' (with TENSORRT_LIBRARIES)' : ''
    throw new SetupError(`TensorRT can not be used here: ${message}${setting}.`, { cause: error })
  }
}
