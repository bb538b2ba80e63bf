/** The addon, TensorRT's libraries and the GPU, found and checked before anything is asked of them. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../../errors.js'
import type { Device, Native, NativeError, NativeErrorCode, Versions } from '../addon.js'
import type { Manifest } from '../manifest.js'
import { needsBuild } from '../store.js'

export interface Gpu {
  readonly native: Native
  readonly versions: Versions
  readonly device: Device
}

export interface GpuOptions {
  /** The GPU's index. */
  readonly device: number
  /** The folder of TensorRT's libraries; null: where the loader finds them. */
  readonly libraries: string | null
}

const addon = fileURLToPath(new URL('../../../native/build/tensorrt.node', import.meta.url))

export function isNativeError(thrown: unknown, ...codes: readonly NativeErrorCode[]): thrown is NativeError {
  return thrown instanceof Error && 'code' in thrown && codes.some((code) => code === thrown.code)
}

/**
 * Opens the addon with TensorRT's libraries and makes a GPU this thread's.
 * @throws SetupError with what is missing and how to get it
 */
export function openGpu({ device: index, libraries }: GpuOptions): Gpu {
  const native = loadAddon()
  try {
    const versions = native.load(libraries ?? undefined)
    const devices = native.devices()
    const device = devices.find((found) => found.index === index)
    if (!device) {
      const list = devices.map((found) => `${found.index}: ${found.name}`).join(', ')
      throw new SetupError(`DEVICE is ${index}, but there is no such GPU: choose one of ${list}.`)
    }
    native.setDevice(index)
    return { native, versions, device }
  } catch (error) {
    if (isNativeError(error, 'library', 'version', 'driver', 'device', 'cuda', 'misuse'))
      throw new SetupError(error.message, { cause: error })
    throw error
  }
}

function loadAddon(): Native {
  if (!existsSync(addon))
    throw new SetupError(`There is no ${addon}, which RUNTIME=tensorrt needs: run \`npm run build:native\`.`)
  try {
    return createRequire(import.meta.url)(addon) as Native
  } catch (error) {
    const reason = (error as Error).message
    throw new SetupError(`${addon} cannot be loaded (${reason}): run \`npm run build:native\` again.`, {
      cause: error,
    })
  }
}

/**
 * A plan runs only where it was built: the same GPU, TensorRT, CUDA and driver.
 * @throws SetupError with all that differs and the command that builds the engine anew
 */
export function refuseForeignPlan(manifest: Manifest, { versions, device }: Gpu): void {
  const { model, device: built } = manifest
  if (!built) throw needsBuild(`The manifest of ${model} does not say for which GPU it was built`)
  const here = {
    tensorrt: versions.tensorrt,
    cuda: versions.cudaRuntime,
    sm: device.sm,
    name: device.name,
    driver: device.driver,
  }
  const nouns = { tensorrt: 'TensorRT', cuda: 'CUDA', sm: 'SM', name: 'the GPU', driver: 'a driver for CUDA' }
  const differences = (Object.keys(nouns) as (keyof typeof nouns)[])
    .filter((key) => built[key] !== here[key])
    .map((key) => `${nouns[key]} ${built[key]} (here is ${here[key]})`)
  if (differences.length > 0)
    throw needsBuild(`The engine ${model} was built for ${differences.join(', ')}`)
}
