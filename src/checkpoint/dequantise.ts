import type { AffineNumbers, BlockNumbers, Quantised } from '../weight-numbers.js'

/** The values as float32, row-major. Every product is exact in double precision, so each value is rounded once. */
export function dequantise(numbers: Quantised): Float32Array {
  return numbers.form === 'affine' ? dequantiseAffine(numbers) : dequantiseBlocks(numbers)
}

function dequantiseAffine({ values, scale, zeroPoint }: AffineNumbers): Float32Array {
  const floats = new Float32Array(values.length)
  const rows = Math.max(scale.length, zeroPoint?.length ?? 1)
  const width = values.length / rows
  for (let row = 0, at = 0; row < rows; row++) {
    const step = scale[scale.length > 1 ? row : 0]!
    const zero = zeroPoint ? zeroPoint[zeroPoint.length > 1 ? row : 0]! : 0
    for (const end = at + width; at < end; at++) floats[at] = (values[at]! - zero) * step
  }
  return floats
}

function dequantiseBlocks({ values, scale, min, zero, blockSize }: BlockNumbers): Float32Array {
  const floats = new Float32Array(values.length)
  for (let block = 0, at = 0; block < scale.length; block++) {
    const step = scale[block]!
    const middle = zero ? zero[block]! : 0
    // Adding -0 changes nothing; adding 0 would turn -0 into 0.
    const low = min ? min[block]! : -0
    for (const end = at + blockSize; at < end; at++) floats[at] = step * (values[at]! - middle) + low
  }
  return floats
}
