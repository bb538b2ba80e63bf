/** Features, which id each frame speaks, and style → F0 and energy, two steps per frame. */
import { Graph, type GraphOptions } from '../../../graph/graph.js'
import { gather, reshape, squeeze, transpose } from '../../../graph/ops.js'
import { bindings, graphNames } from '../bindings.js'
import type { KokoroConfig } from '../config.js'
import { conv } from './convolution.js'
import { biLstm, inputOf } from './layers.js'
import { residualBlock } from './residual.js'

export function prosodyGraph(config: KokoroConfig, options: GraphOptions): Graph {
  const g = new Graph(graphNames.prosody, options)
  const names = bindings(config)
  const features = squeeze(inputOf(g, names.features), [0]) // [N, 640]
  const index = inputOf(g, names.index) // [F]
  const style = inputOf(g, names.prosodyStyle)

  g.scope('predictor', () => {
    const frames = biLstm(gather(features, index), 'shared') // [F, 512]
    const signal = reshape(transpose(frames, [1, 0]), [1, config.hidden, 1, -1])
    for (const [curve, { name, dims }] of [['F0', names.f0] as const, ['N', names.energy] as const]) {
      let x = residualBlock(signal, `${curve}.0`, style)
      x = residualBlock(x, `${curve}.1`, style, { double: true })
      x = residualBlock(x, `${curve}.2`, style)
      g.output(name, reshape(conv(x, `${curve}_proj`), [1, -1]), dims) // [1, 2F]
    }
  })
  return g
}
