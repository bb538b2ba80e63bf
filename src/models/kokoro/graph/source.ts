/**
 * The excitation: nine harmonics of F0 where the voice sounds, noise where it does not. Wang, Takaki & Yamagishi 2019,
 * https://arxiv.org/abs/1904.12088 (hn-NSF).
 *
 * Phases count turns. F0 is constant during a step, and the reference interpolates the phase linearly between the
 * middles of the steps: within a step it runs at the step's own frequency before the middle and at the next step's
 * after it (and stands still in the first and the last half step). So each step is its phase at the middle plus two
 * ramps, one product of [2F, 9, 3] and [3, 300]. A running sum of radians in float32 has steps of 0.03 after half a
 * minute of 250 Hz, and integers of more than 8 bits have no running sum on TensorRT. So phases at the middles are
 * summed as two digits of 2⁻¹² and 2⁻²⁴ turns: sums of whole numbers below 2²⁴, exact in float32 in any order, for
 * 4096 steps, 51 s.
 */
import type { Graph, Value } from '../../../graph/graph.js'
import {
  add,
  concat,
  cumSum,
  floor,
  greater,
  matMul,
  mul,
  pad,
  reshape,
  round,
  sin,
  slice,
  sub,
  tanh,
  where,
} from '../../../graph/ops.js'
import { type KokoroConfig, SAMPLE_RATE } from '../config.js'

const harmonics = 9
const voicedAbove = 10 // Hz
const sineAmplitude = 0.1
const noiseAmplitude = { voiced: 0.003, unvoiced: sineAmplitude / 3 }
/** Values of a digit of a phase, and steps for which the digits' sums are exact. */
const digit = 2 ** 12

/**
 * f0 [1, 2F] in Hz, noise [1, 600F] → [1, 600F]. Upstream weighs nine independent noises per sample like the nine
 * sines; that is one noise of the weights' length.
 */
export function source(f0: Value, noise: Value, { stepSamples }: KokoroConfig): Value {
  const g = f0.graph
  return g.scope('decoder.generator.m_source.l_linear', () => {
    const column = reshape(f0, [-1, 1]) // [2F, 1]
    const weight = g.weight('weight') // [1, 9]
    const sines = sin(mul(phases(column, stepSamples), 2 * Math.PI)) // [2F, 9, 300]
    const tone = mul(reshape(matMul(weight, sines), [-1, stepSamples]), sineAmplitude) // [2F, 300]

    const voiced = greater(column, voicedAbove)
    const loudness = where(voiced, noiseLevel(g, 'voiced'), noiseLevel(g, 'unvoiced')) // [2F, 1]
    const hiss = mul(reshape(noise, [-1, stepSamples]), loudness)
    const silent = g.scalar('float32', 0)
    const mixed = add(where(voiced, tone, silent), hiss)
    return reshape(tanh(add(mixed, g.weight('bias'))), [1, -1])
  })
}

function noiseLevel(g: Graph, kind: keyof typeof noiseAmplitude): Value {
  const weight = g.tensor('weight')
  const level = () => Float32Array.of(noiseAmplitude[kind] * Math.hypot(...weight.floats()))
  return g.initializer(g.at(`${kind} noise`), 'float32', [], level)
}

/** F0 [2F, 1] → turns [2F, 9, 300], only their fractions counting. */
function phases(f0: Value, stepSamples: number): Value {
  const g = f0.graph
  const numbers = Array.from({ length: harmonics }, (_, i) => i + 1)
  const perSample = fraction(mul(mul(f0, g.constant('float32', [1, harmonics], numbers)), 1 / SAMPLE_RATE)) // [2F, 9]
  const middle = runningTurns(fraction(mul(perSample, stepSamples)))

  const butFirst = slice(perSample, 0, 1, Number.MAX_SAFE_INTEGER)
  const before = pad(butFirst, [1, 0, 0, 0]) // its own frequency; the first half step stands still
  const after = pad(butFirst, [0, 0, 1, 0]) // the next step's; the last half step stands still
  const parts = concat(
    [middle, before, after].map((part) => reshape(part, [-1, harmonics, 1])),
    2,
  )
  const fromMiddle = Array.from({ length: stepSamples }, (_, i) => i + 0.5 - stepSamples / 2)
  const ramps = g.constant(
    'float32',
    [3, stepSamples],
    [
      ...fromMiddle.map(() => 1),
      ...fromMiddle.map((samples) => Math.min(samples, 0)),
      ...fromMiddle.map((samples) => Math.max(samples, 0)),
    ],
  )
  return fraction(matMul(parts, ramps))
}

/** Turns, 0 … 1 each, added up along the first axis; only fractions counting. Each is rounded to 2⁻²⁴ first. */
export function runningTurns(turns: Value): Value {
  const digits = mul(turns, digit)
  const high = floor(digits)
  const low = round(mul(sub(digits, high), digit))
  const lower = mul(cumSum(low, 0), 1 / digit) // in units of the high digit
  const carry = floor(lower)
  const upper = fraction(mul(add(cumSum(high, 0), carry), 1 / digit))
  return add(upper, mul(sub(lower, carry), 1 / digit))
}

const fraction = (x: Value): Value => sub(x, floor(x))
