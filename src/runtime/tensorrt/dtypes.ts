/** Element types: their bytes, and the arrays that hold them on the host. */
import type { NativeDType } from '../addon.js'
import type { DType, HostArray } from '../session.js'

const bytes: Partial<Record<NativeDType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
  int32: 4,
  int64: 8,
}

const arrays: Partial<
  Record<NativeDType, new (buffer: ArrayBuffer, offset: number, length: number) => HostArray>
> = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
}

export const elementsOf = (dims: readonly number[]): number =>
  dims.reduce((product, size) => product * size, 1)

/** Bytes of a dense tensor. @throws Error for types narrower than a byte, which no border has */
export function bytesOf(dtype: NativeDType, dims: readonly number[]): number {
  const element = bytes[dtype]
  if (element === undefined) throw new Error(`tensors of ${dtype} cannot stand at the border of an engine`)
  return element * elementsOf(dims)
}

/** Whether host tensors of the type exist. */
export const isHostType = (dtype: NativeDType): dtype is DType => dtype in arrays

/** A copy of `count` elements at `offset` of a memory that will be written again. */
export function copyOut(dtype: DType, memory: ArrayBuffer, offset: number, count: number): HostArray {
  const View = arrays[dtype]
  if (!View) throw new Error(`tensors of ${dtype} cannot be read on the host`)
  return new View(memory, offset, count).slice()
}
