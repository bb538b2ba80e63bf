/** float32 numbers as the 16 bits of float16 (IEEE 754 binary16) and bfloat16, rounded to the nearest, ties to even. */
import type { DType } from './onnx.js'

/** The numbers in the type they are to have; what is not float32, or is to stay so, is handed on. */
export function rounded(data: ArrayBufferView, dtype: DType): ArrayBufferView {
  if (!(data instanceof Float32Array)) return data
  if (dtype === 'float16') return toHalves(data, float16Bits)
  if (dtype === 'bfloat16') return toHalves(data, bfloat16Bits)
  return data
}

function toHalves(numbers: Float32Array, bits: (float: number) => number): Uint16Array {
  const raw = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length)
  const result = new Uint16Array(numbers.length)
  for (let i = 0; i < raw.length; i++) result[i] = bits(raw[i]!)
  return result
}

/** Of the bits of a float32; beyond 65504 (and a half step) it is an infinity. */
export function float16Bits(float: number): number {
  const sign = (float >>> 16) & 0x8000
  const magnitude = float & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000)
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  if (magnitude < 0x33000000) return sign // below half of the smallest
  const shift = 126 - (magnitude >>> 23)
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const half = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  return sign | (half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0))
}

/** Of the bits of a float32: its upper half, rounded. */
export function bfloat16Bits(float: number): number {
  if ((float & 0x7fffffff) > 0x7f800000) return (float >>> 16) | 0x40
  return ((float + 0x7fff + ((float >>> 16) & 1)) >>> 16) & 0xffff
}
