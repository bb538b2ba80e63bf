import { seededRandom } from '../../decoding/rng.js'

/**
 * Numbers of the normal distribution N(0, 1), the same for the same seed.
 * Box & Muller 1958, https://doi.org/10.1214/aoms/1177706645
 */
export function normals(count: number, seed: string): Float32Array {
  const random = seededRandom(seed)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    values[i] = radius * Math.cos(angle)
    values[i + 1] = radius * Math.sin(angle) // beyond an odd end: ignored
  }
  return values
}
