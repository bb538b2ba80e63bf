/** The three networks and the generator's parts against the reference's numbers, in float32. */
import assert from 'node:assert/strict'
import { frameCounts } from '#src/models/kokoro/durations.js'
import { generator } from '#src/models/kokoro/graph/generator.js'
import { prosodyGraph } from '#src/models/kokoro/graph/prosody.js'
import { source } from '#src/models/kokoro/graph/source.js'
import { stft } from '#src/models/kokoro/graph/spectrum.js'
import { textGraph } from '#src/models/kokoro/graph/text.js'
import { vocoderGraph } from '#src/models/kokoro/graph/vocoder.js'
import { golden, largestDifference, logMel, relativeRms, sentences, turned } from './golden.js'
import { type Numbers, observe, speakGolden, voices } from './networks.js'
import { config, type Run, Sessions, weights } from './sessions.js'

const sessions = new Sessions()

function near(actual: Float32Array, wanted: Float32Array, limit = 1e-3): void {
  const error = relativeRms(actual, wanted)
  assert.ok(error <= limit, `relative RMS error ${error}, at most ${limit} is allowed`)
}

describe('models/kokoro/graph', function () {
  this.timeout(300_000)
  const numbers: Record<string, Numbers> = {}
  let [excite, transform, generate]: Run[] = []

  before(async () => {
    const networks = {
      text: await sessions.open(textGraph(config, { weights }, observe)),
      prosody: await sessions.open(prosodyGraph(config, { weights })),
      vocoder: await sessions.open(vocoderGraph(config, { weights }, observe)),
    }
    for (const name of Object.keys(sentences)) numbers[name] = await speakGolden(networks, name)

    excite = await sessions.function(
      'source',
      { f0: [1, 'steps'], noise: [1, 'samples'] },
      [1, 'samples'],
      ({ f0, noise }) => source(f0, noise, config),
    )
    transform = await sessions.function(
      'spectrum',
      { signal: [1, 'samples'] },
      [1, 22, 1, 'spectra'],
      ({ signal }) => stft(signal, config.generator),
    )
    generate = await sessions.function(
      'generator',
      { x: [1, 512, 1, 'steps'], har: [1, 22, 1, 'spectra'], style: [1, 128] },
      [1, 'samples'],
      ({ x, har, style }) => generator(x, har, style, config),
    )
  })
  after(() => sessions.dispose())

  /** Decoder output [1, 512, 1, steps], spectrum and style to sound. */
  const soundOf = (x: Float32Array, har: Float32Array, style: Float32Array) =>
    generate!({
      x: [x, 1, 512, 1, x.length / 512],
      har: [har, 1, 22, 1, har.length / 22],
      style: [style, 1, 128],
    })
  const spectrumOf = (signal: Float32Array) => transform!({ signal: [signal, 1, signal.length] })

  for (const [name, sentence] of Object.entries(sentences))
    describe(`the golden sentence ${name}`, () => {
      it('has the same durations', () => {
        const { durations } = numbers[name]!
        assert.deepEqual(frameCounts(durations!, sentence.speed), sentence.durations)
        const atSpeed = durations!.map((frames) => frames / sentence.speed)
        assert.ok(largestDifference(atSpeed, golden(`${name}.dur_float`)) < 2e-4)
      })

      it('has the same text features, F0, energy and decoder output', () => {
        const { d_en, encoded, f0, energy, decoder_out } = numbers[name]!
        near(d_en!, golden(`${name}.d_en`))
        near(turned(encoded!, 512), golden(`${name}.t_en`))
        near(f0!, golden(`${name}.F0`))
        near(energy!, golden(`${name}.N`))
        near(decoder_out!, golden(`${name}.decoder_out`))
      })

      it('has the same excitation', () => {
        const difference = largestDifference(numbers[name]!.har_source!, golden(`${name}.har_source`))
        assert.ok(difference <= 5e-3, `off by ${difference}`)
      })

      it('has the same waveform for the same excitation', async () => {
        const har = await spectrumOf(golden(`${name}.har_source`))
        const style = voices.styles(sentence.voice, sentence.phonemes.length).decoder
        near(await soundOf(numbers[name]!.decoder_out!, har, style), golden(`${name}.audio`), 5e-3)
      })

      it('has the same log-mel from its own excitation', () => {
        const { audio } = numbers[name]!
        assert.equal(audio!.length, sentence.samples)
        const wanted = golden(`${name}.log_mel`)
        const mel = logMel(audio!)
        const mean = wanted.reduce((sum, value, i) => sum + Math.abs(value - mel[i]!), 0) / wanted.length
        assert.ok(mean <= 0.04, `off by ${mean}`)
      })
    })

  it('has the same ALBERT output and duration features', () => {
    near(numbers.s1!.bert_out!, golden('s1.bert_out'))
    near(numbers.s1!.features!, golden('s1.predictor_d'))
  })

  for (const test of ['gen_zero', 'gen_noise'])
    it(`makes the waveform of ${test} from its spectrum`, async () => {
      const [x, har, style] = ['x', 'har', 's'].map((part) => golden(`${test}.${part}`))
      near(await soundOf(x!, har!, style!), golden(`${test}.audio`), 1e-4)
    })

  it('has the same spectrum', async () => {
    for (const test of ['gen_zero', 'gen_noise']) {
      const har = await spectrumOf(golden(`${test}.har_source`))
      const wanted = golden(`${test}.har`)
      const half = wanted.length / 2
      near(har.subarray(0, half), wanted.subarray(0, half), 1e-5)
      // a phase is as certain as its bin is loud
      const turns = wanted.subarray(half).map((phase, i) => {
        const difference = Math.abs(har[half + i]! - phase)
        return Math.min(difference, 2 * Math.PI - difference) * wanted[i]!
      })
      assert.ok(Math.max(...turns) < 1e-5, `phases are off by ${Math.max(...turns)}`)
    }
  })

  it('weighs one noise per sample like nine', async () => {
    const noises = golden('gen_noise.noise') // [samples, 9]
    const weight = weights.tensor('decoder.generator.m_source.l_linear.weight').floats()
    const length = Math.hypot(...weight)
    const samples = noises.length / 9
    const noise = new Float32Array(samples)
    for (const [i, value] of noises.entries()) noise[Math.floor(i / 9)]! += (value * weight[i % 9]!) / length
    const f0 = golden('gen_noise.F0')
    const excitation = await excite!({ f0: [f0, 1, f0.length], noise: [noise, 1, samples] })
    assert.ok(largestDifference(excitation, golden('gen_noise.har_source')) <= 5e-3)
  })
})
