/** Random weights in every storage that a checkpoint may have. */
import { type BlockLayout, blockLayout, type Weight } from '#src/graph/weight.js'

/** Every storage of blocks: GGUF's, and integers in blocks as safetensors pack them. */
export const storages = [
  ...['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'],
  ...['I4/32', 'I4/128', 'U4/32', 'U4/64', 'U4/128', 'I8/128', 'U8/32', 'U8/128'],
] as const

/**
 * A weight [N, K] in blocks, its values between about -1 and 1. GGUF's scales are of both signs, and one is zero; the
 * numbers of the first block reach both ends of their range.
 */
export function storedWeight(storage: string, N: number, K: number, random: () => number): Weight {
  const { bits, blockSize, offset } = blockLayout(storage) as BlockLayout
  const range = 2 ** bits
  const least = offset === 'none' ? -range / 2 : 0
  const count = (N * K) / blockSize
  const numbers = Array.from({ length: N * K }, () => least + Math.floor(range * random()))
  numbers.splice(0, 2, least, least + range - 1)
  const values = offset === 'none' ? Int8Array.from(numbers) : Uint8Array.from(numbers)
  const sign = (block: number) => (storage.startsWith('Q') && block % 3 === 1 ? -1 : 1)
  const zeroAt = storage.startsWith('Q') ? 1 : -1
  const scale = Float32Array.from({ length: count }, (_, block) =>
    block === zeroAt ? 0 : sign(block) * halfPrecise((0.5 + random()) / range),
  )
  const min = offset === 'min' ? scale.map((d) => halfPrecise(-d * range * (0.4 + 0.2 * random()))) : null
  const zero =
    offset === 'zero' ? Uint8Array.from(scale, () => Math.floor(range * (0.3 + 0.4 * random()))) : null
  const value = (q: number, i: number) => {
    const block = Math.floor(i / blockSize)
    return scale[block]! * (q - (zero?.[block] ?? 0)) + (min?.[block] ?? 0)
  }
  return {
    dims: [N, K],
    storage,
    floats: () => Float32Array.from(values, value),
    quantised: () => ({ form: 'blocks', blockSize, bits, values, scale, min, zero }),
  }
}

/** With as few bits of mantissa as a float16 has. */
function halfPrecise(value: number): number {
  if (value === 0) return 0
  const step = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10)
  return Math.round(value / step) * step
}
