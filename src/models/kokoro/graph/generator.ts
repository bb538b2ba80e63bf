/** The vocoder: iSTFTNet (Kaneko et al. 2022, https://arxiv.org/abs/2203.02395) with styled residual blocks and Snake. */
import type { Value } from '../../../graph/graph.js'
import { add, exp, leakyRelu, mul, pad, sin, split } from '../../../graph/ops.js'
import type { KokoroConfig } from '../config.js'
import { conv, convTranspose } from './convolution.js'
import { adain } from './residual.js'
import { inverseStft } from './spectrum.js'

/** x [1, 512, 1, 2F], excitation's spectrum [1, 22, 1, 120F + 1], style [1, 128] → float32 samples [1, 600F]. */
export function generator(
  x: Value,
  spectrum: Value,
  style: Value,
  { generator: sizes }: KokoroConfig,
): Value {
  const g = x.graph
  const { upsampleRates, dilations, fftSize } = sizes
  return g.scope('decoder.generator', () => {
    let y = x
    for (const [stage, rate] of upsampleRates.entries()) {
      const isLast = stage === upsampleRates.length - 1
      const stride = upsampleRates.slice(stage + 1).reduce((a, b) => a * b, 1)
      const padding = isLast ? 0 : Math.ceil(stride / 2)
      const excitation = conv(spectrum, `noise_convs.${stage}`, { stride, padding })
      // the excitation's blocks have the dilations of the first block
      const voiced = snakeBlock(excitation, `noise_res.${stage}`, style, dilations[0]!)

      y = convTranspose(leakyRelu(y, 0.1), `ups.${stage}`, rate)
      if (isLast) y = pad(y, [0, 0, 0, 1, 0, 0, 0, 0], 'reflect') // one frame more, as the spectrum has
      y = add(y, voiced)

      const mixed = y
      const blocks = dilations.map((list, i) =>
        snakeBlock(mixed, `resblocks.${stage * dilations.length + i}`, style, list),
      )
      y = mul(blocks.reduce(add), 1 / blocks.length)
    }
    const bins = fftSize / 2 + 1
    const last = g.cast(leakyRelu(y, 0.01), 'float32')
    return g.within('float32', () => {
      const [magnitude, phase] = split(conv(last, 'conv_post'), [bins, bins], 1)
      return inverseStft(exp(magnitude!), sin(phase!), sizes)
    })
  })
}

/** Residual convolutions of several dilations, each between styled normalisations (AdaINResBlock1). */
export function snakeBlock(x: Value, name: string, style: Value, dilations: readonly number[]): Value {
  return x.graph.scope(name, () => {
    let y = x
    for (const [i, dilation] of dilations.entries()) {
      const first = adain(y, `adain1.${i}`, style, snake, `alpha1.${i}`)
      const middle = conv(first, `convs1.${i}`, { dilation, alpha: `alpha1.${i}` })
      const second = adain(middle, `adain2.${i}`, style, snake, `alpha2.${i}`)
      y = add(y, conv(second, `convs2.${i}`, { alpha: `alpha2.${i}` }))
    }
    return y
  })
}

/**
 * Snake is x + sin²(αx) / α: Ziyin et al. 2020, https://arxiv.org/abs/2006.08195. Given αx this is α times that;
 * the convolution behind it divides by α.
 */
function snake(scaled: Value): Value {
  const wave = sin(scaled)
  return add(scaled, mul(wave, wave))
}
