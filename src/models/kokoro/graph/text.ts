/** ids and style → how long each id lasts, and what prosody and sound are made from. StyleTTS2, https://arxiv.org/abs/2306.07691 */
import { Graph, type GraphOptions, type Value } from '../../../graph/graph.js'
import {
  gather,
  layerNormalization,
  leakyRelu,
  reduceSum,
  reshape,
  sigmoid,
  transpose,
  unsqueeze,
} from '../../../graph/ops.js'
import { bindings, graphNames } from '../bindings.js'
import type { KokoroConfig } from '../config.js'
import { albert } from './albert.js'
import { conv } from './convolution.js'
import { adaLayerNorm, biLstm, dense, inputOf, type Observe, withStyle } from './layers.js'

export function textGraph(config: KokoroConfig, options: GraphOptions, observe: Observe = () => {}): Graph {
  const g = new Graph(graphNames.text, options)
  const names = bindings(config)
  const ids = reshape(inputOf(g, names.ids), [-1]) // [N]
  const style = inputOf(g, names.prosodyStyle)

  const spoken = g.scope('bert', () => albert(ids, config)) // [N, 768]
  observe('bert_out', spoken)
  const hidden = dense(spoken, 'bert_encoder') // [N, 512]
  observe('d_en', hidden)

  g.scope('predictor', () => {
    const features = g.scope('text_encoder', () => durationEncoder(hidden, style, config)) // [N, 640]
    const logits = dense(biLstm(features, 'lstm'), 'duration_proj.linear_layer') // [N, 50]
    const durations = reduceSum(sigmoid(logits), [1], false) // [N]
    g.output(names.durations.name, unsqueeze(durations, [0]), names.durations.dims)
    g.output(names.features.name, unsqueeze(features, [0]), names.features.dims)
  })

  const encoded = g.scope('text_encoder', () => textEncoder(ids, config)) // [N, 512]
  g.output(names.encoded.name, unsqueeze(transpose(encoded, [1, 0]), [0]), names.encoded.dims)
  return g
}

/** The style is put beside the features again after every normalisation. */
function durationEncoder(x: Value, style: Value, { layers }: KokoroConfig): Value {
  const g = x.graph
  let features = withStyle(x, style)
  for (let layer = 0; layer < layers; layer++) {
    const run = biLstm(features, `lstms.${2 * layer}`)
    const normed = g.scope(`lstms.${2 * layer + 1}`, () => adaLayerNorm(run, style))
    features = withStyle(normed, style)
  }
  return features
}

function textEncoder(ids: Value, { layers, hidden }: KokoroConfig): Value {
  const g = ids.graph
  let x = gather(g.weight('embedding.weight'), ids) // [N, 512]
  for (let layer = 0; layer < layers; layer++)
    g.scope(`cnn.${layer}`, () => {
      const signal = reshape(transpose(x, [1, 0]), [1, hidden, 1, -1])
      const rows = transpose(reshape(conv(signal, '0'), [hidden, -1]), [1, 0])
      x = leakyRelu(layerNormalization(rows, g.weight('1.gamma'), g.weight('1.beta'), 1e-5), 0.2)
    })
  return biLstm(x, 'lstm')
}
