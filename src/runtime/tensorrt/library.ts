/** The GPU of a model's thread, found and checked before anything is asked of it. */
import { SetupError } from '../../errors.js'
import type { Native, NativeError, NativeErrorCode } from '../addon.js'
import { difference } from '../identity.js'
import type { DeviceIdentity, Manifest } from '../manifest.js'
import { deviceIdentity, loadNative, type NativeSettings } from '../native.js'
import { needsBuild } from '../store.js'

export interface Gpu {
  readonly native: Native
  readonly device: DeviceIdentity
}

export function isNativeError(thrown: unknown, code: NativeErrorCode): thrown is NativeError {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}

/**
 * Makes a GPU this thread's.
 * @throws SetupError with what is missing (the addon, a library, the driver, the GPU) and how to get it
 */
export function openGpu(settings: NativeSettings): Gpu {
  const { native } = loadNative(settings.libraries)
  const device = deviceIdentity(settings)
  try {
    native.setDevice(settings.device)
  } catch (error) {
    throw new SetupError((error as Error).message, { cause: error })
  }
  return { native, device }
}

/** A plan runs nowhere but where it was built. @throws SetupError that tells both places */
export function refuseForeign(folder: string, manifest: Manifest, { device }: Gpu): void {
  const differs = difference(manifest, { ...manifest, device })
  if (differs !== undefined) throw needsBuild(`The engine in ${folder} ${differs}`, 'tensorrt')
}
