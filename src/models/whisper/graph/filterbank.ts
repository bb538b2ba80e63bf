/** The constants of Whisper's log-mel front end, computed in double precision. */
import { SAMPLE_RATE, WINDOW } from '../bindings.js'

/** Bins of the spectrum: 0 … 8000 Hz in steps of 40 Hz. */
export const BINS = WINDOW / 2 + 1

/**
 * The discrete Fourier transform of a window as rows [2 · BINS, WINDOW]: first the cosines, then the negative sines,
 * each times the periodic Hann window.
 */
export function fourierBasis(): Float32Array {
  const basis = new Float32Array(2 * BINS * WINDOW)
  for (let bin = 0; bin < BINS; bin++)
    for (let n = 0; n < WINDOW; n++) {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW)
      // The product is reduced first: the angle stays exact to the last bit.
      const angle = (2 * Math.PI * ((bin * n) % WINDOW)) / WINDOW
      basis[bin * WINDOW + n] = hann * Math.cos(angle)
      basis[(BINS + bin) * WINDOW + n] = -hann * Math.sin(angle)
    }
  return basis
}

/**
 * Triangular filters [mels, BINS], equally spaced on Slaney's mel scale from 0 to 8000 Hz and of equal area, as
 * librosa.filters.mel(sr=16000, n_fft=400, n_mels=mels) makes them.
 */
export function melFilters(mels: number): Float32Array {
  const top = hertzToMel(SAMPLE_RATE / 2)
  const edges = Array.from({ length: mels + 2 }, (_, i) => melToHertz((top * i) / (mels + 1)))
  const filters = new Float32Array(mels * BINS)
  for (let mel = 0; mel < mels; mel++) {
    const [low, centre, high] = [edges[mel]!, edges[mel + 1]!, edges[mel + 2]!]
    for (let bin = 0; bin < BINS; bin++) {
      const hertz = (bin * SAMPLE_RATE) / WINDOW
      const triangle = Math.min((hertz - low) / (centre - low), (high - hertz) / (high - centre))
      filters[mel * BINS + bin] = (Math.max(triangle, 0) * 2) / (high - low)
    }
  }
  return filters
}

/** Slaney's scale: linear below 1000 Hz (15 mel), above it a factor of 6.4 in 27 steps. */
const HERTZ_PER_MEL = 200 / 3
const LOG_STEP = Math.log(6.4) / 27

function hertzToMel(hertz: number): number {
  return hertz < 1000 ? hertz / HERTZ_PER_MEL : 15 + Math.log(hertz / 1000) / LOG_STEP
}

function melToHertz(mel: number): number {
  return mel < 15 ? mel * HERTZ_PER_MEL : 1000 * Math.exp(LOG_STEP * (mel - 15))
}
