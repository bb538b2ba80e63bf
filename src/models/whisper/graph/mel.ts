import { Graph, type GraphOptions } from '../../../graph/graph.js'
import { conv, log, matMul, max, mul, unsqueeze } from '../../../graph/ops.js'
import { type Bindings, HOP, WINDOW } from '../bindings.js'
import type { WhisperConfig } from '../config.js'
import { BINS, fourierBasis, melFilters } from './filterbank.js'
import { input, output } from './layers.js'

/**
 * Audio to log10 mel power, without the clamp to the recording's loudest and without the scaling: both are the
 * encoder's, which knows the whole recording's maximum. The spectrum is one strided convolution with the windowed
 * Fourier basis. Padding (reflected at the recording's begin, zeros at its end) is the caller's, so that a recording
 * can be worked off in pieces.
 */
export function melGraph(
  config: WhisperConfig,
  { audio, logMel }: Bindings['mel'],
  options: GraphOptions,
): Graph {
  const g = new Graph('mel', options)
  const samples = unsqueeze(input(g, audio), [1]) // [B, 1, samples]
  const basis = g.initializer('fourier_basis', 'float32', [2 * BINS, 1, WINDOW], fourierBasis)
  const spectrum = conv(samples, basis, null, { strides: [HOP] }) // [B, 2·bins, frames]
  // The filters stand twice side by side: the product adds the squares of cosine and sine parts, too.
  const filters = g.initializer('mel_filters', 'float32', [config.mels, 2 * BINS], () =>
    twice(melFilters(config.mels)),
  )
  const power = matMul(filters, mul(spectrum, spectrum)) // [B, mels, frames]
  output(g, logMel, mul(log(max(power, 1e-10)), Math.LOG10E))
  return g
}

function twice(filters: Float32Array): Float32Array {
  const result = new Float32Array(2 * filters.length)
  for (let at = 0; at < filters.length; at += BINS) {
    const row = filters.subarray(at, at + BINS)
    result.set(row, 2 * at)
    result.set(row, 2 * at + BINS)
  }
  return result
}
