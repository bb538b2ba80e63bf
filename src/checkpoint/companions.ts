import type { AffineNumbers } from '../weight-numbers.js'
import { dequantise } from './dequantise.js'
import type { PlainTensor } from './plain.js'
import type { CheckpointTensor } from './tensor.js'

const scaleStorages: readonly string[] = ['F32', 'F16', 'BF16']

/**
 * Joins I8 and U8 tensors `x` with their companions `x_scale` and `x_zero_point` ([1], or [rows, 1]) into one
 * quantised tensor each; the companions are no longer listed. All other tensors stay as they are, also a `_scale`
 * without a base. Companions may stand in another shard than their base.
 */
export function foldCompanions(stored: ReadonlyMap<string, PlainTensor>): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>(stored)
  for (const base of stored.values()) {
    if (base.storage !== 'I8' && base.storage !== 'U8') continue
    const scale = stored.get(`${base.name}_scale`)
    const zeroPoint = stored.get(`${base.name}_zero_point`)
    if (!scale && zeroPoint) throw base.file.damaged(`has ${zeroPoint.name} but no ${base.name}_scale`)
    if (!scale) continue
    if (!scaleStorages.includes(scale.storage)) throw misfit(scale, 'F32', scale.storage)
    checkShape(scale, base)
    if (zeroPoint) {
      if (zeroPoint.storage !== base.storage) throw misfit(zeroPoint, base.storage, zeroPoint.storage)
      checkShape(zeroPoint, base)
    }
    tensors.set(base.name, new AffineTensor(base, scale, zeroPoint ?? null))
    tensors.delete(scale.name)
    if (zeroPoint) tensors.delete(zeroPoint.name)
  }
  return tensors
}

/** An I8 or U8 tensor with its scale and, where it is asymmetric, its zero point. */
class AffineTensor implements CheckpointTensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: string
  readonly #base: PlainTensor
  readonly #scale: PlainTensor
  readonly #zeroPoint: PlainTensor | null

  constructor(base: PlainTensor, scale: PlainTensor, zeroPoint: PlainTensor | null) {
    this.name = base.name
    this.dims = base.dims
    this.storage = base.storage
    this.#base = base
    this.#scale = scale
    this.#zeroPoint = zeroPoint
  }

  floats(): Float32Array {
    return dequantise(this.quantised())
  }

  quantised(): AffineNumbers {
    return {
      form: 'affine',
      values: integers(this.#base),
      scale: this.#scale.floats(),
      zeroPoint: this.#zeroPoint && integers(this.#zeroPoint),
    }
  }
}

function integers(tensor: PlainTensor): Int8Array | Uint8Array {
  const bytes = tensor.bytes()
  return tensor.storage === 'I8' ? new Int8Array(bytes.buffer) : bytes
}

function checkShape(companion: PlainTensor, base: PlainTensor): void {
  const rows = base.dims[0]
  const [first, second, ...more] = companion.dims
  const whole = first === 1 && second === undefined
  const perRow = rows !== undefined && first === rows && second === 1 && more.length === 0
  if (whole || perRow) return
  throw misfit(companion, `[1] or [${rows ?? 1}, 1]`, `[${companion.dims.join(', ')}]`)
}

const misfit = (companion: PlainTensor, wanted: string, found: string) =>
  companion.file.damaged(`has ${companion.name} as ${found} where ${wanted} is needed`)
