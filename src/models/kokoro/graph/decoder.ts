/** Aligned text, F0 and energy → what the generator turns into sound, two steps per frame. */
import type { Value } from '../../../graph/graph.js'
import { concat, gather, reshape } from '../../../graph/ops.js'
import { conv } from './convolution.js'
import { residualBlock } from './residual.js'

export interface DecoderInputs {
  /** [1, 512, N] */
  encoded: Value
  /** int64 [F] */
  index: Value
  /** [1, 2F] */
  f0: Value
  /** [1, 2F] */
  energy: Value
  /** [1, 128] */
  style: Value
}

const blocks = 4

/** → [1, 512, 1, 2F]. */
export function decoder({ encoded, index, f0, energy, style }: DecoderInputs, hidden: number): Value {
  const g = encoded.graph
  return g.scope('decoder', () => {
    const aligned = reshape(gather(g.asFloat(encoded), index, 2), [1, hidden, 1, -1]) // [1, 512, 1, F]
    const halved = (curve: Value, name: string) =>
      g.float32([reshape(curve, [1, 1, 1, -1])], (x) => conv(x, name, { stride: 2, padding: 1 })) // [1, 1, 1, F]
    const curves = [halved(f0, 'F0_conv'), halved(energy, 'N_conv')]

    let x = residualBlock(concat([aligned, ...curves], 1), 'encode', style) // [1, 1024, 1, F]
    const reminder = conv(aligned, 'asr_res.0') // [1, 64, 1, F]
    for (let i = 0; i < blocks; i++) {
      const beside = concat([x, reminder, ...curves], 1) // [1, 1090, 1, F]
      x = residualBlock(beside, `decode.${i}`, style, { double: i === blocks - 1 })
    }
    return x
  })
}
