/** The short-time Fourier transform and its inverse as convolutions; periodic Hann window, centred frames. */
import type { Value } from '../../../graph/graph.js'
import {
  add,
  atan,
  concat,
  conv,
  convTranspose,
  cos,
  div,
  greaterOrEqual,
  less,
  mul,
  pad,
  reshape,
  sin,
  slice,
  split,
  sqrt,
  where,
} from '../../../graph/ops.js'
import type { KokoroConfig } from '../config.js'

type Sizes = Pick<KokoroConfig['generator'], 'fftSize' | 'hop'>

/** Magnitudes below this have no phase: it would be the quotient of two rounding errors. */
const silence = 1e-6

/** signal [1, T] → [1, 2·bins, 1, 1 + T / hop]: magnitudes, then phases in −π … π. The ends are reflected. */
export function stft(signal: Value, { fftSize, hop }: Sizes): Value {
  const g = signal.graph
  const bins = fftSize / 2 + 1
  const half = fftSize / 2
  const padded = pad(reshape(signal, [1, 1, 1, -1]), [0, 0, 0, half, 0, 0, 0, half], 'reflect')
  const basis = g.initializer('stft', 'float32', [2 * bins, 1, 1, fftSize], () => analysis(fftSize))
  const [real, imaginary] = split(conv(padded, basis, null, { strides: [1, hop] }), [bins, bins], 1)
  const magnitude = sqrt(add(mul(real!, real!), mul(imaginary!, imaginary!)))
  const phase = where(less(magnitude, silence), g.scalar('float32', 0), atan2(imaginary!, real!))
  return concat([magnitude, phase], 1)
}

/** ONNX has no Atan2: atan of the quotient, half a turn further in the left half plane (+π, not −π, for y = 0). */
function atan2(y: Value, x: Value): Value {
  const g = x.graph
  const [none, halfTurn] = [g.scalar('float32', 0), g.scalar('float32', Math.PI)]
  const beyond = where(greaterOrEqual(y, 0), halfTurn, g.scalar('float32', -Math.PI))
  return add(atan(div(y, x)), where(less(x, 0), beyond, none))
}

/**
 * magnitude and phase [1, bins, 1, frames] → [1, hop · (frames − 1)]: overlapping frames are added and divided by
 * the sum of the squared windows; half a window is dropped at both ends.
 */
export function inverseStft(magnitude: Value, phase: Value, { fftSize, hop }: Sizes): Value {
  const g = magnitude.graph
  const bins = fftSize / 2 + 1
  const spectrum = concat([mul(magnitude, cos(phase)), mul(magnitude, sin(phase))], 1)
  const overlap = envelope(fftSize, hop)
  const level = overlap[fftSize]! // what the sum of squared windows is but at the ends
  const basis = g.initializer('inverse stft', 'float32', [2 * bins, 1, 1, fftSize], () =>
    synthesis(fftSize, level),
  )
  const half = fftSize / 2
  const signal = reshape(
    convTranspose(spectrum, basis, null, { strides: [1, hop], pads: [0, half, 0, half] }),
    [1, -1],
  )

  // At sample p the frames that cover p + half have been added; at the ends some are missing.
  const head = Array.from({ length: half }, (_, p) => level / overlap[half + p]!)
  const tail = Array.from({ length: half }, (_, p) => level / overlap[2 * half - p]!)
  const corrected = (from: number, to: number, factors: readonly number[]) =>
    mul(slice(signal, 1, from, to), g.constant('float32', [half], factors))
  return concat(
    [
      corrected(0, half, head),
      slice(signal, 1, half, -half),
      corrected(-half, Number.MAX_SAFE_INTEGER, tail),
    ],
    1,
  )
}

const hann = (n: number, size: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size)

/** Rows of windowed cosines, then of negated sines: [2·bins, size]. */
function analysis(size: number): Float32Array {
  return waves(size, (n) => hann(n, size))
}

/** The inverse of a real signal's transform: inner bins count twice. */
function synthesis(size: number, level: number): Float32Array {
  return waves(size, (n, isOuter) => (hann(n, size) * (isOuter ? 1 : 2)) / (size * level))
}

/** cos and −sin of 2π·bin·n / size, weighted. The first and the last bin have no imaginary part: exactly 0. */
function waves(size: number, weight: (n: number, isOuter: boolean) => number): Float32Array {
  const bins = size / 2 + 1
  const rows = new Float32Array(2 * bins * size)
  for (let bin = 0; bin < bins; bin++)
    for (let n = 0; n < size; n++) {
      const isOuter = bin === 0 || bin === size / 2
      const angle = (2 * Math.PI * bin * n) / size
      rows[bin * size + n] = weight(n, isOuter) * Math.cos(angle)
      rows[(bins + bin) * size + n] = isOuter ? 0 : -weight(n, isOuter) * Math.sin(angle)
    }
  return rows
}

/** Σ of the squared windows of frames that begin at 0, hop, 2·hop … at the places 0 … size. */
function envelope(size: number, hop: number): number[] {
  return Array.from({ length: size + 1 }, (_, place) => {
    let sum = 0
    for (let start = 0; start <= place; start += hop)
      if (place - start < size) sum += hann(place - start, size) ** 2
    return sum
  })
}
