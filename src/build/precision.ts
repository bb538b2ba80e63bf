/** Which GPUs have the types of a precision. */
import { SetupError } from '../errors.js'
import { type Identity, type Precision, precisions } from '../runtime/manifest.js'

/** Compute capabilities, as `89`, below which TensorRT has no kernels for the type. */
const least: Partial<Record<Precision, number>> = { bfloat16: 80, fp8: 89 }

const version = (sm: number): string => `${Math.floor(sm / 10)}.${sm % 10}`

/** @throws SetupError when engines of this precision would not be built for the GPU, or not run there */
export function refusePrecision({ options: { precision }, device }: Identity): void {
  if (!device || device.sm >= (least[precision] ?? 0)) return
  const others = precisions.tensorrt.filter((other) => device.sm >= (least[other] ?? 0))
  throw new SetupError(
    `The precision ${precision} needs a GPU of compute capability ${version(least[precision]!)} or newer, but ${device.name} has ${version(device.sm)}: set PRECISION (or --precision) to one of ${others.join(', ')}.`,
  )
}
