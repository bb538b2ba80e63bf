/** StyleTTS2's residual block with style (AdainResBlk1d), of which prosody and decoder consist. */
import type { Value } from '../../../graph/graph.js'
import { add, instanceNormalization, leakyRelu, mul } from '../../../graph/ops.js'
import { conv, depthwiseDouble, repeated } from './convolution.js'
import { styleOf } from './layers.js'

/**
 * Instance normalisation of x [1, C, 1, T], (1 + γ) · x + β by the style (Huang & Belongie 2017,
 * https://arxiv.org/abs/1703.06868), and what comes behind it. With `alpha`, a [C] tensor's name, `activation` gets α
 * times that. All in float32: the statistics are of up to 10⁵ numbers, and what is between two convolutions is read and
 * written once, whatever it computes in.
 */
export function adain(
  x: Value,
  name: string,
  style: Value,
  activation: (normed: Value) => Value,
  alpha?: string,
): Value {
  const g = x.graph
  return g.float32([x, style], (wide, style) => {
    const [gamma, beta] = g.scope(name, () => styleOf(style))
    const scale = add(gamma, 1)
    if (alpha === undefined) return activation(instanceNormalization(wide, scale, beta, 1e-5))
    const channels = g.tensor(alpha).dims.reduce((a, b) => a * b, 1)
    const factor = g.weight(alpha, [channels])
    return activation(instanceNormalization(wide, mul(scale, factor), mul(beta, factor), 1e-5))
  })
}

/** x [1, C, 1, T] → [1, O, 1, T], or twice the length with `double`. */
export function residualBlock(x: Value, name: string, style: Value, { double = false } = {}): Value {
  const g = x.graph
  return g.scope(name, () => {
    const rectified = (normed: Value) => leakyRelu(normed, 0.2)
    const first = adain(x, 'norm1', style, rectified)
    const second = conv(double ? depthwiseDouble(first, 'pool') : first, 'conv1')
    const residual = conv(adain(second, 'norm2', style, rectified), 'conv2')

    // repeating and a 1×1 convolution commute: convolve the shorter signal
    const channels = g.tensor('conv2.weight').dims[0]!
    const same = g.hasWeight('conv1x1.weight') ? conv(x, 'conv1x1') : x
    const shortcut = double ? repeated(same, channels) : same
    return mul(add(residual, shortcut), Math.SQRT1_2)
  })
}
