/** The fast operator forms against the plain formulas, on small random tensors. */
import assert from 'node:assert/strict'
import type { Weight, WeightSource } from '#src/graph/graph.js'
import { reshape, split } from '#src/graph/ops.js'
import { conv, convTranspose, depthwiseDouble } from '#src/models/kokoro/graph/convolution.js'
import { snakeBlock } from '#src/models/kokoro/graph/generator.js'
import { runningTurns, source } from '#src/models/kokoro/graph/source.js'
import { inverseStft, stft } from '#src/models/kokoro/graph/spectrum.js'
import { mostFrames } from '#src/models/kokoro/limits.js'
import { largestDifference } from './golden.js'
import { config, Sessions } from './sessions.js'

let seed = 1
/** −1 … 1: Lehmer's generator. */
function random(count: number): Float32Array {
  return new Float32Array(count).map(() => {
    seed = (seed * 48271) % 2147483647
    return (2 * seed) / 2147483647 - 1
  })
}

const tensors = new Map<string, Weight>()
function tensor(name: string, dims: readonly number[]): Float32Array {
  const values = random(dims.reduce((a, b) => a * b, 1))
  tensors.set(name, { dims, storage: 'F32', floats: () => values.slice(), quantised: () => null })
  return values
}
const weights: WeightSource = { has: (name) => tensors.has(name), tensor: (name) => tensors.get(name)! }

type Signal = Float32Array[]
const rows = (flat: Float32Array, channels: number): Signal =>
  Array.from({ length: channels }, (_, c) =>
    flat.subarray((c * flat.length) / channels, ((c + 1) * flat.length) / channels),
  )
const flat = (signal: Signal): Float32Array => Float32Array.from(signal.flatMap((row) => [...row]))

/** PyTorch's Conv1d of stride 1 that keeps the length; w [O, C, k]. */
function plainConv(x: Signal, w: Float32Array, bias: Float32Array, k: number, dilation: number): Signal {
  return Array.from(bias, (offset, o) =>
    x[0]!.map((_, t) => {
      let sum = offset
      for (const [c, row] of x.entries())
        for (let i = 0; i < k; i++)
          sum += w[(o * x.length + c) * k + i]! * (row[t + (i - (k - 1) / 2) * dilation] ?? 0)
      return sum
    }),
  )
}

/** PyTorch's ConvTranspose1d by its definition: every input adds a kernel; w [C, O / groups, k]. */
function plainTranspose(
  x: Signal,
  w: Float32Array,
  bias: Float32Array,
  {
    k,
    stride,
    padding,
    length,
    depthwise = false,
  }: Record<'k' | 'stride' | 'padding' | 'length', number> & { depthwise?: boolean },
): Signal {
  return Array.from(bias, (offset, o) => {
    const y = new Float32Array(length).fill(offset)
    for (const [c, row] of x.entries()) {
      if (depthwise && c !== o) continue
      for (const [t, value] of row.entries())
        for (let i = 0; i < k; i++) {
          const at = t * stride + i - padding
          const weight = w[(depthwise ? c : c * bias.length + o) * k + i]!
          if (at >= 0 && at < length) y[at]! += value * weight
        }
    }
    return y
  })
}

/** AdaIN: by the row's mean and biased variance, then (1 + γ) and β of the style. */
function plainAdain(x: Signal, style: Float32Array, w: Float32Array, b: Float32Array): Signal {
  const fc = b.map((offset, row) => style.reduce((sum, s, i) => sum + s * w[row * style.length + i]!, offset))
  return x.map((row, c) => {
    const mean = row.reduce((a, v) => a + v, 0) / row.length
    const variance = row.reduce((a, v) => a + (v - mean) ** 2, 0) / row.length
    return row.map((v) => ((v - mean) / Math.sqrt(variance + 1e-5)) * (1 + fc[c]!) + fc[x.length + c]!)
  })
}

const plainSnake = (x: Signal, alpha: Float32Array): Signal =>
  x.map((row, c) => row.map((v) => v + Math.sin(alpha[c]! * v) ** 2 / alpha[c]!))

function close(actual: Float32Array, wanted: Float32Array, limit = 1e-4): void {
  const difference = largestDifference(actual, wanted)
  assert.ok(difference <= limit, `off by ${difference}`)
}

describe('models/kokoro/graph blocks', () => {
  const sessions = new Sessions()
  after(() => sessions.dispose())
  const steps = 23

  it('convolves with dilation, strides upwards and doubles as Conv1d and ConvTranspose1d do', async () => {
    const x = random(4 * steps)
    const one = async (
      name: string,
      dims: readonly number[],
      build: Parameters<typeof sessions.function>[3],
    ) => {
      const w = tensor(`${name}.weight`, dims)
      const b = tensor(`${name}.bias`, [name === 'double' ? 4 : name === 'up' ? dims[1]! : dims[0]!])
      const run = await sessions.function(name, { x: [1, 4, 1, 'T'] }, [1, b.length, 1, 'U'], build, weights)
      return { w, b, y: await run({ x: [x, 1, 4, 1, steps] }) }
    }
    const signal = rows(x, 4)
    const plain = await one('conv', [6, 4, 7], (i) => conv(i.x!, 'conv', { dilation: 3 }))
    close(plain.y, flat(plainConv(signal, plain.w, plain.b, 7, 3)))
    const up = await one('up', [4, 3, 20], (i) => convTranspose(i.x!, 'up', 10))
    close(
      up.y,
      flat(plainTranspose(signal, up.w, up.b, { k: 20, stride: 10, padding: 5, length: 10 * steps })),
    )
    const double = await one('double', [4, 1, 3], (i) => depthwiseDouble(i.x!, 'double'))
    const geometry = { k: 3, stride: 2, padding: 1, length: 2 * steps, depthwise: true }
    close(double.y, flat(plainTranspose(signal, double.w, double.b, geometry)))
  })

  it('folds Snake and its α, also a negative one, into normalisation and convolution', async () => {
    const channels = 5
    const dilations = [1, 3]
    for (const i of dilations.keys())
      for (const n of [1, 2]) {
        tensor(`block.adain${n}.${i}.fc.weight`, [2 * channels, 8])
        tensor(`block.adain${n}.${i}.fc.bias`, [2 * channels])
        tensor(`block.convs${n}.${i}.weight`, [channels, channels, 3])
        tensor(`block.convs${n}.${i}.bias`, [channels])
        tensor(`block.alpha${n}.${i}`, [1, channels, 1])
      }
    const [x, style] = [random(channels * steps), random(8)]
    const run = await sessions.function(
      'block',
      { x: [1, channels, 1, 'T'], style: [1, 8] },
      [1, channels, 1, 'T'],
      (i) => snakeBlock(i.x!, 'block', i.style!, dilations),
      weights,
    )
    let y = rows(x, channels)
    const at = (name: string) => tensors.get(`block.${name}`)!.floats()
    assert.ok(at('alpha1.0').some((value) => value < 0))
    for (const [i, dilation] of dilations.entries()) {
      let branch = y
      for (const [n, d] of [
        [1, dilation],
        [2, 1],
      ] as const) {
        branch = plainAdain(branch, style, at(`adain${n}.${i}.fc.weight`), at(`adain${n}.${i}.fc.bias`))
        branch = plainSnake(branch, at(`alpha${n}.${i}`))
        branch = plainConv(branch, at(`convs${n}.${i}.weight`), at(`convs${n}.${i}.bias`), 3, d)
      }
      y = y.map((row, c) => row.map((v, t) => v + branch[c]![t]!))
    }
    const wanted = flat(y)
    close(await run({ x: [x, 1, channels, 1, steps], style: [style, 1, 8] }), wanted, 1e-3)
  })

  it('inverts its own spectrum, both ends included', async () => {
    const { generator: sizes } = config
    const run = await sessions.function(
      'there-and-back',
      { x: [1, 'T'] },
      [1, 'T'],
      (i) => {
        const [magnitude, phase] = split(stft(i.x!, sizes), [11, 11], 1)
        return inverseStft(magnitude!, phase!, sizes)
      },
      weights,
    )
    const x = random(600)
    close(await run({ x: [x, 1, 600] }), x, 1e-5)
  })

  it('adds phases up exactly for as long as the longest piece', async () => {
    const columns = 9
    const steps = 2 * mostFrames
    const turns = random(steps * columns).map(Math.abs)
    const run = await sessions.function(
      'turns',
      { turns: ['steps', columns] },
      ['steps', columns],
      (i) => runningTurns(i.turns!),
      weights,
    )
    const actual = await run({ turns: [turns, steps, columns] })

    // integers of 2⁻²⁴ turns, halves of them to the even one; below 2⁵³ in sum
    const ticks = (turn: number) => {
      const rounded = Math.round(turn * 2 ** 24)
      return rounded - turn * 2 ** 24 === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
    }
    const sums = new Array<number>(columns).fill(0)
    const wanted = turns.map((turn, i) => {
      sums[i % columns]! += ticks(turn)
      return (sums[i % columns]! % 2 ** 24) / 2 ** 24
    })
    assert.deepEqual(actual, wanted)
  })

  it('keeps the phases of the excitation for a minute', async () => {
    const scope = 'decoder.generator.m_source.l_linear'
    const w = tensor(`${scope}.weight`, [1, 9])
    const b = tensor(`${scope}.bias`, [1])
    const run = await sessions.function(
      'tone',
      { f0: [1, 'steps'], noise: [1, 'T'] },
      [1, 'T'],
      (i) => reshape(source(i.f0!, i.noise!, config), [1, -1]),
      weights,
    )
    const count = 80 * 60
    const f0 = new Float32Array(count).map((_, i) => (i % 100 === 99 ? 0 : 210 + 40 * Math.sin(i / 7)))
    const samples = count * 300
    const actual = await run({ f0: [f0, 1, count], noise: [new Float32Array(samples), 1, samples] })

    // the definition in double precision: phases at the middles of steps, interpolated linearly
    let worst = 0
    const turns = Array.from({ length: 9 }, () => new Float64Array(count))
    for (const [h, phase] of turns.entries()) {
      let sum = 0
      for (const [i, hertz] of f0.entries()) phase[i] = sum += (300 * (h + 1) * hertz) / 24000
    }
    for (let j = 0; j < samples; j++) {
      const place = Math.min(Math.max((j + 0.5) / 300 - 0.5, 0), count - 1)
      const [left, part] = [Math.floor(place), place % 1]
      let mixed = b[0]!
      if (f0[Math.floor(j / 300)]! > 10)
        for (const [h, phase] of turns.entries()) {
          const turn = phase[left]! + part * ((phase[left + 1] ?? 0) - phase[left]!) * (part > 0 ? 1 : 0)
          mixed += w[h]! * 0.1 * Math.sin(2 * Math.PI * turn)
        }
      worst = Math.max(worst, Math.abs(Math.tanh(mixed) - actual[j]!))
    }
    assert.ok(worst < 2e-3, `off by ${worst}`)
  })
})
