/** The graphs for TensorRT: held against its rules, and run as standard operators, exact or rounded to halves. */
import assert from 'node:assert/strict'
import { type FloatType, Graph } from '#src/graph/graph.js'
import { planKokoro } from '#src/models/kokoro/build.js'
import { frameCounts } from '#src/models/kokoro/durations.js'
import { generator } from '#src/models/kokoro/graph/generator.js'
import { prosodyGraph } from '#src/models/kokoro/graph/prosody.js'
import { textGraph } from '#src/models/kokoro/graph/text.js'
import { vocoderGraph } from '#src/models/kokoro/graph/vocoder.js'
import { mostFrames, mostPhonemes } from '#src/models/kokoro/limits.js'
import { type Precision, precisions } from '#src/models/plan.js'
import { float32, floats, type Profile, type Session } from '#src/runtime/session.js'
import { openPortable } from '../../graph/portable-session.js'
import { violations } from '../../graph/tensorrt-rules.js'
import { golden, largestDifference, logMel, relativeRms, sentences, turned } from './golden.js'
import { type Numbers, observe, speakGolden } from './networks.js'
import { config, folder, weights } from './sessions.js'

const plan = (precision: Precision) =>
  planKokoro(folder, weights, { target: 'tensorrt', precision, slots: 1, stateBytes: 0 }).graphs

const open = (graph: Graph, rounding: boolean): Promise<Session> => {
  const symbols = graph.inputs.flatMap(({ dims }) => dims.filter((dim) => typeof dim === 'string'))
  const any: Profile = {
    name: 'any',
    sizes: Object.fromEntries(symbols.map((symbol) => [symbol, [1, 1, Number.POSITIVE_INFINITY]])),
  }
  return openPortable({ graph, profiles: [any] }, { rounding })
}

function near(actual: Float32Array, wanted: Float32Array, limit = 1e-3): void {
  const error = relativeRms(actual, wanted)
  assert.ok(error <= limit, `relative RMS error ${error}, at most ${limit} is allowed`)
}

describe('models/kokoro planned for TensorRT', () => {
  it('keeps to the rules in every precision', () => {
    for (const precision of precisions.tensorrt)
      for (const planned of plan(precision)) assert.deepEqual(violations(planned), [], precision)
  })

  it('computes durations, F0 and energy in float32, sound as it is told, and nothing with fewer bits', () => {
    for (const precision of precisions.tensorrt) {
      const floatTypes = plan(precision).map(({ graph, tf32 }) => {
        const types = new Set(graph.content.initializers.map(({ value }) => value.dtype))
        for (const integer of ['int64', 'bool'] as const) types.delete(integer)
        assert.equal(tf32, false)
        return [...types].sort()
      })
      const half = precision === 'bfloat16' ? 'bfloat16' : 'float16'
      const sound = precision === 'float32' ? ['float32'] : [half, 'float32'].sort()
      assert.deepEqual(floatTypes, [['float32'], ['float32'], sound])
    }
  })

  it('has a profile for every piece, with sizes that belong together', () => {
    const [text, prosody, vocoder] = plan('float16')
    const fits = (profiles: readonly Profile[], sizes: Record<string, number>) =>
      profiles.some((profile) =>
        Object.entries(sizes).every(([symbol, size]) => {
          const [least, , most] = profile.sizes[symbol]!
          return least <= size && size <= most
        }),
      )
    for (let ids = 2; ids <= mostPhonemes + 2; ids++) assert.ok(fits(text!.profiles!, { ids }), `${ids} ids`)
    for (let frames = 2; frames <= mostFrames; frames++)
      for (const ids of [2, Math.min(frames, mostPhonemes + 2)]) {
        assert.ok(fits(prosody!.profiles!, { ids, frames }), `${frames} frames`)
        const sizes = { ids, frames, steps: 2 * frames, samples: config.frameSamples * frames }
        assert.ok(fits(vocoder!.profiles!, sizes), `${frames} frames`)
      }
    for (const { sizes } of vocoder!.profiles!)
      for (const i of [0, 1, 2] as const) {
        assert.equal(sizes.steps![i], 2 * sizes.frames![i])
        assert.equal(sizes.samples![i], config.frameSamples * sizes.frames![i])
      }
  })

  it('has the vocoder and prosody of ONNX Runtime, node by node, in float32', () => {
    const nodes = (graph: Graph) =>
      graph.content.nodes.map(({ type, name, inputs, attributes }) => [
        type,
        name,
        inputs.map((input) => input?.name),
        attributes,
      ])
    for (const make of [prosodyGraph, vocoderGraph])
      assert.deepEqual(nodes(make(config, { weights, target: 'tensorrt' })), nodes(make(config, { weights })))
  })
})

/** The goldens' own limits, and what rounding may cost: the losses measured (docs/tensorrt-forms.md) and a third to a half. */
const limits: Readonly<
  Record<FloatType, { said: readonly string[]; decoder: number; waveform: number; mel: number }>
> = {
  float32: { said: ['s1', 's4'], decoder: 1e-3, waveform: 1e-4, mel: 0.04 },
  float16: { said: Object.keys(sentences), decoder: 1.2e-3, waveform: 6e-3, mel: 0.025 },
  bfloat16: { said: ['s1', 's4'], decoder: 1e-2, waveform: 5e-2, mel: 0.025 },
}

describe('models/kokoro/graph for TensorRT', function () {
  this.timeout(600_000)
  let text: Session
  let prosody: Session
  before(async () => {
    text = await open(textGraph(config, { weights, target: 'tensorrt' }, observe), false)
    prosody = await open(prosodyGraph(config, { weights, target: 'tensorrt' }), false)
  })
  after(async () => {
    for (const session of [text, prosody]) await session.dispose()
  })

  for (const [float, limit] of Object.entries(limits) as [FloatType, (typeof limits)[FloatType]][])
    describe(`with a vocoder of ${float}`, () => {
      const options = { weights, target: 'tensorrt', float } as const
      let vocoder: Session
      const numbers: Record<string, Numbers> = {}
      before(async () => {
        vocoder = await open(vocoderGraph(config, options, observe), true)
        for (const name of limit.said) numbers[name] = await speakGolden({ text, prosody, vocoder }, name)
      })
      after(() => vocoder.dispose())

      for (const name of limit.said)
        it(`says the golden sentence ${name}`, () => {
          const { durations, d_en, encoded, f0, energy, decoder_out, har_source, audio } = numbers[name]!
          const { speed, samples } = sentences[name]!
          assert.deepEqual(frameCounts(durations!, speed), sentences[name]!.durations)
          near(d_en!, golden(`${name}.d_en`))
          near(turned(encoded!, 512), golden(`${name}.t_en`))
          near(f0!, golden(`${name}.F0`))
          near(energy!, golden(`${name}.N`))
          near(decoder_out!, golden(`${name}.decoder_out`), limit.decoder)
          const off = largestDifference(har_source!, golden(`${name}.har_source`))
          assert.ok(off <= 5e-3, `the excitation is off by ${off}`)

          assert.equal(audio!.length, samples)
          const [wanted, mel] = [golden(`${name}.log_mel`), logMel(audio!)]
          const mean = wanted.reduce((sum, value, i) => sum + Math.abs(value - mel[i]!), 0) / wanted.length
          assert.ok(mean <= limit.mel, `the log-mel is off by ${mean}`)
        })

      it('makes the waveform from a stored spectrum', async () => {
        const graph = new Graph('generator', options)
        const x = graph.asFloat(graph.input('x', 'float32', [1, 512, 1, 'steps']))
        const har = graph.asFloat(graph.input('har', 'float32', [1, 22, 1, 'spectra']))
        const style = graph.input('style', 'float32', [1, 128])
        graph.output('audio', generator(x, har, style, config), [1, 'samples'])
        const session = await open(graph, true)
        for (const test of ['gen_zero', 'gen_noise']) {
          const [x, har, style] = ['x', 'har', 's'].map((part) => golden(`${test}.${part}`))
          const made = await session.run({
            x: float32(x!, [1, 512, 1, x!.length / 512]),
            har: float32(har!, [1, 22, 1, har!.length / 22]),
            style: float32(style!, [1, 128]),
          })
          near(floats(made, 'audio'), golden(`${test}.audio`), limit.waveform)
        }
        await session.dispose()
      })
    })
})
