/**
 * Rotary position tables. Halves are rotated: of the part of a head that turns, element i pairs with i + width / 2, as
 * in all Hugging Face checkpoints of the family.
 */
import type { RopeConfig, RopeScaling } from './rope-config.js'

/** The angle that each pair turns per position, [width / 2], rounded to float32 as the reference's are. */
export function ropeFrequencies({ theta, width, scaling }: RopeConfig): Float32Array {
  const plain = Float32Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width))
  return plain.map((frequency, i) => scaled(frequency, i, scaling, { theta, width }))
}

function scaled(
  frequency: number,
  pair: number,
  scaling: RopeScaling,
  { theta, width }: { theta: number; width: number },
): number {
  switch (scaling.type) {
    case 'none':
      return frequency
    case 'linear':
      return frequency / scaling.factor
    case 'longrope':
      return frequency / scaling.factors[pair]!
    case 'llama3': {
      // Waves longer than the old context are stretched, short ones kept, those between blended.
      const wave = (2 * Math.PI) / frequency
      if (wave < scaling.original / scaling.highFrequency) return frequency
      if (wave > scaling.original / scaling.lowFrequency) return frequency / scaling.factor
      const keep =
        (scaling.original / wave - scaling.lowFrequency) / (scaling.highFrequency - scaling.lowFrequency)
      return (1 - keep) * (frequency / scaling.factor) + keep * frequency
    }
    case 'yarn': {
      // arXiv 2309.00071, section 3.2: pairs that turn more than betaFast times in the old context are kept.
      const pairThatTurns = (times: number) =>
        (width * Math.log(scaling.original / (times * 2 * Math.PI))) / (2 * Math.log(theta))
      const bounds = [pairThatTurns(scaling.betaFast), pairThatTurns(scaling.betaSlow)] as const
      const low = Math.max(scaling.truncate ? Math.floor(bounds[0]) : bounds[0], 0)
      const high = Math.min(scaling.truncate ? Math.ceil(bounds[1]) : bounds[1], width - 1)
      const ramp = Math.min(Math.max((pair - low) / (high === low ? 0.001 : high - low), 0), 1)
      return (frequency / scaling.factor) * ramp + frequency * (1 - ramp)
    }
  }
}

/** Cosines or sines [positions, width / 2] of every position from 0, the angles multiplied in float32. */
export function ropeTable(kind: 'cos' | 'sin', rope: RopeConfig, positions: number): Float32Array {
  const frequencies = ropeFrequencies(rope)
  const amplitude = ropeAmplitude(rope)
  const table = new Float32Array(positions * frequencies.length)
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < frequencies.length; i++)
      table[position * frequencies.length + i] =
        Math[kind](Math.fround(position * frequencies[i]!)) * amplitude
  return table
}

/** What cosines and sines are multiplied by. */
const ropeAmplitude = ({ scaling }: RopeConfig): number =>
  'attentionFactor' in scaling ? scaling.attentionFactor : 1
