/** Encoded text, which id each frame speaks, F0, energy, style and noise → samples. */
import { Graph, type GraphOptions } from '../../../graph/graph.js'
import { bindings, graphNames } from '../bindings.js'
import type { KokoroConfig } from '../config.js'
import { decoder } from './decoder.js'
import { generator } from './generator.js'
import { inputOf, type Observe } from './layers.js'
import { source } from './source.js'
import { stft } from './spectrum.js'

export function vocoderGraph(
  config: KokoroConfig,
  options: GraphOptions,
  observe: Observe = () => {},
): Graph {
  const g = new Graph(graphNames.vocoder, options)
  const names = bindings(config)
  const [encoded, index] = [inputOf(g, names.encoded), inputOf(g, names.index)]
  const [f0, energy] = [inputOf(g, names.f0), inputOf(g, names.energy)]
  const [style, noise] = [inputOf(g, names.decoderStyle), inputOf(g, names.noise)]

  const decoded = decoder({ encoded, index, f0, energy, style }, config.hidden) // [1, 512, 1, 2F]
  observe('decoder_out', decoded)
  const spectrum = g.float32([f0, noise], (f0, noise) => {
    const excitation = source(f0, noise, config) // [1, 600F]
    observe('har_source', excitation)
    return stft(excitation, config.generator) // [1, 22, 1, 120F + 1]
  })
  g.output(names.audio.name, generator(decoded, spectrum, style, config), names.audio.dims)
  return g
}
