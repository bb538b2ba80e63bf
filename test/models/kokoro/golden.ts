/** The reference's numbers, and how ours are compared with them. How they were made: test/golden/kokoro/golden.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { root } from '../../root.js'

const folder = join(root, 'test', 'golden', 'kokoro')

export interface GoldenSentence {
  readonly text: string
  readonly voice: string
  readonly speed: number
  readonly phonemes: string
  readonly ids: readonly number[]
  readonly durations: readonly number[]
  readonly samples: number
}

export const sentences: Readonly<Record<string, GoldenSentence>> = JSON.parse(
  readFileSync(join(folder, 'golden.json'), 'utf8'),
).sentences

const tensors = openCheckpoint(join(folder, 'golden.safetensors'))

export const golden = (name: string): Float32Array => tensors.tensor(name).floats()

/** RMS of the difference, relative to the standard deviation of what is wanted. */
export function relativeRms(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) throw new Error(`${actual.length} values instead of ${wanted.length}`)
  const mean = wanted.reduce((a, b) => a + b, 0) / wanted.length
  let [difference, deviation] = [0, 0]
  for (const [i, value] of wanted.entries()) {
    difference += (actual[i]! - value) ** 2
    deviation += (value - mean) ** 2
  }
  return Math.sqrt(difference / deviation)
}

export function largestDifference(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) throw new Error(`${actual.length} values instead of ${wanted.length}`)
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - wanted[i]!)), 0)
}

/** [rows, columns] → [columns, rows]. */
export function turned(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}

const size = 1024
const hop = 256

/** log10 of the mel power as golden.json defines it: [80, 1 + samples / 256]. */
export function logMel(samples: Float32Array): Float32Array {
  const filters = golden('mel_filterbank') // [80, 513]
  const bins = size / 2 + 1
  const frames = 1 + Math.floor(samples.length / hop)
  const result = new Float32Array((filters.length / bins) * frames)
  const reflected = (i: number) => (i < 0 ? -i : i < samples.length ? i : 2 * (samples.length - 1) - i)
  for (let frame = 0; frame < frames; frame++) {
    const windowed = Array.from({ length: size }, (_, n) => {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size)
      return hann * samples[reflected(frame * hop + n - size / 2)]!
    })
    const { real, imaginary } = fourier(windowed)
    for (let band = 0; band * bins < filters.length; band++) {
      let power = 0
      for (let bin = 0; bin < bins; bin++)
        power += filters[band * bins + bin]! * (real[bin]! ** 2 + imaginary[bin]! ** 2)
      result[band * frames + frame] = Math.log10(Math.max(power, 1e-6))
    }
  }
  return result
}

interface Spectrum {
  real: number[]
  imaginary: number[]
}

/** The discrete Fourier transform of 2ⁿ real values, halves first (Cooley & Tukey 1965). */
function fourier(values: readonly number[]): Spectrum {
  const n = values.length
  if (n === 1) return { real: [values[0]!], imaginary: [0] }
  const [even, odd] = [0, 1].map((parity) => fourier(values.filter((_, i) => i % 2 === parity))) as [
    Spectrum,
    Spectrum,
  ]
  const result: Spectrum = { real: new Array(n), imaginary: new Array(n) }
  for (let k = 0; k < n / 2; k++) {
    const [cos, sin] = [Math.cos((2 * Math.PI * k) / n), -Math.sin((2 * Math.PI * k) / n)]
    const real = odd.real[k]! * cos - odd.imaginary[k]! * sin
    const imaginary = odd.real[k]! * sin + odd.imaginary[k]! * cos
    result.real[k] = even.real[k]! + real
    result.imaginary[k] = even.imaginary[k]! + imaginary
    result.real[k + n / 2] = even.real[k]! - real
    result.imaginary[k + n / 2] = even.imaginary[k]! - imaginary
  }
  return result
}
