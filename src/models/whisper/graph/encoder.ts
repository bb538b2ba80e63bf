import { selfAttention, toHeads } from '../../../graph/attention.js'
import { Graph, type GraphOptions, type Value } from '../../../graph/graph.js'
import { linear } from '../../../graph/linear.js'
import {
  add,
  conv,
  div,
  gelu,
  less,
  max,
  range,
  reshape,
  transpose,
  unsqueeze,
  where,
} from '../../../graph/ops.js'
import type { Bindings } from '../bindings.js'
import { type WhisperConfig, windowFrames } from '../config.js'
import { feedForward, input, layerNorm, type Observe, output, unobserved } from './layers.js'

/**
 * The log-mel of windows to the keys and values with which the decoder's layers look at it. The states themselves are no
 * output: nothing else reads them.
 * "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2.
 */
export function encoderGraph(
  config: WhisperConfig,
  { logMel, floor, frames, crossKeys, crossValues }: Bindings['encoder'],
  options: GraphOptions,
  observe: Observe = unobserved,
): Graph {
  const g = new Graph('encoder', options)
  const mel = input(g, logMel)
  const ofWindow = (value: Value) => (logMel.dims[0] === 1 ? value : unsqueeze(value, [1, 2]))
  const [least, content] = [ofWindow(input(g, floor)), ofWindow(input(g, frames))]
  const bottom = g.scope('model.encoder', () =>
    stem(g.asFloat(normalised(mel, least, content, windowFrames(config))), config),
  )

  const states = g.scope('model.encoder', () => {
    observe('input', bottom)
    let x = bottom // [B·positions, width]
    for (let i = 0; i < config.encoderLayers; i++) {
      x = g.scope(`layers.${i}`, () => feedForward(attention(x, config)))
      observe(`layer${i}`, x)
    }
    const top = layerNorm(x, 'layer_norm')
    observe('states', top)
    return top
  })

  const { decoderHeads, sourcePositions: rows } = config
  const heads = { heads: decoderHeads, width: config.width / decoderHeads, rows }
  for (let i = 0; i < config.decoderLayers; i++)
    g.scope(`model.decoder.layers.${i}.encoder_attn`, () => {
      output(g, crossKeys[i]!, toHeads(linear(states, 'k_proj'), heads))
      output(g, crossValues[i]!, toHeads(linear(states, 'v_proj'), heads))
    })
  return g
}

/**
 * (max(x, floor) + 4) / 4, and 0.0 from `frames` on. The reference pads a recording's last window with zeros here, in
 * the normalised domain. No value of x would say that for every floor (x = −4 does while floor ≤ −4, so not for float
 * audio beyond full scale), hence the count.
 */
function normalised(x: Value, floor: Value, frames: Value, length: number): Value {
  const scaled = div(add(max(x, floor), 4), 4)
  return where(less(range(x.graph.scalar('int64', length)), frames), scaled, 0)
}

/** Two convolutions, the second halving the frames, and sinusoidal positions: → [B·positions, width]. */
function stem(mel: Value, { width }: WhisperConfig): Value {
  const g = mel.graph
  const pads = [1, 1]
  const first = gelu(conv(mel, g.weight('conv1.weight'), g.weight('conv1.bias'), { pads }))
  const second = gelu(conv(first, g.weight('conv2.weight'), g.weight('conv2.bias'), { pads, strides: [2] }))
  return reshape(add(transpose(second, [0, 2, 1]), g.weight('embed_positions.weight')), [-1, width])
}

/** x + attention of every position to every position of its window. */
function attention(x: Value, { width, encoderHeads, sourcePositions: rows }: WhisperConfig): Value {
  const normed = layerNorm(x, 'self_attn_layer_norm')
  return x.graph.scope('self_attn', () => {
    // Apart, not as one product: at these sizes as fast, and nothing is cut up again afterwards.
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) => linear(normed, name))
    const sizes = { heads: encoderHeads, width: width / encoderHeads, rows }
    return add(x, linear(selfAttention(q!, k!, v!, sizes), 'out_proj'))
  })
}
