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
 * Makes the GPU this thread's, if the engine in `folder` was built for it: a plan runs nowhere else.
 * @throws SetupError with what is missing or different, and what to do
 */
export function openGpu(folder: string, manifest: Manifest, settings: NativeSettings): Gpu {
  const { native } = loadNative(settings.libraries)
  const device = deviceIdentity(settings)
  const differs = difference(manifest, { ...manifest, device })
  if (differs !== undefined) throw needsBuild(`The engine in ${folder} ${differs}`, 'tensorrt')
  try {
    native.setDevice(settings.device)
  } catch (error) {
    throw new SetupError((error as Error).message, { cause: error })
  }
  return { native, device }
}
