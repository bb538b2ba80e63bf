import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { resample } from '#src/audio/resample.js'

const tone = (hertz: number, rate: number, seconds: number): Float32Array =>
  Float32Array.from({ length: rate * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate))

const decibels = (ratio: number): number => 20 * Math.log10(ratio)
const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)

/** Away from the ends, where the tone is switched on and off. */
const middle = (samples: Float32Array): Float32Array =>
  samples.subarray(samples.length / 4, (samples.length * 3) / 4)

describe('audio/resample', () => {
  it('returns the samples themselves at equal rates', async () => {
    const samples = tone(440, 16000, 1)
    assert.equal(await resample(samples, 16000, 16000), samples)
  })

  it('returns round(n · to / from) samples, for short inputs too', async () => {
    for (const [from, to] of [
      [44100, 16000],
      [8000, 16000],
      [11025, 16000],
      [48000, 16000],
      [47999, 16000],
      [24000, 48000],
    ] as const)
      for (const length of [0, 1, 2, 3, 100, 16_384, 16_385, 40_001]) {
        const made = await resample(new Float32Array(length).fill(0.1), from, to)
        assert.equal(made.length, Math.round((length * to) / from), `${length} samples, ${from} -> ${to}`)
      }
  })

  for (const from of [8000, 11025, 22050, 32000, 44100, 48000])
    it(`keeps tones and their time from ${from} Hz (error below -80 dB up to 80 % of Nyquist)`, async () => {
      for (const hertz of [50, 1000, 0.4 * Math.min(from, 16000)]) {
        const made = middle(await resample(tone(hertz, from, 2), from, 16000))
        const expected = middle(tone(hertz, 16000, 2))
        const error = decibels(rms(made.map((value, i) => value - expected[i]!)) / rms(expected))
        assert.ok(error < -80, `${hertz} Hz: ${error.toFixed(1)} dB`)
      }
    })

  for (const [from, tones] of [
    [22050, [8500, 10000, 11000]],
    [44100, [8100, 9000, 10000, 12000, 15500, 20000, 22000]],
    [48000, [8100, 9000, 10000, 16500, 20000, 23900]],
  ] as const)
    it(`lets nothing above 8 kHz alias from ${from} Hz (below -60 dB)`, async () => {
      for (const hertz of tones) {
        const made = middle(await resample(tone(hertz, from, 2), from, 16000))
        const level = decibels(rms(made) / rms(tone(hertz, from, 1)))
        assert.ok(level < -60, `${hertz} Hz: ${level.toFixed(1)} dB`)
      }
    })

  it('puts an impulse where it was, to within a few samples of either end', async () => {
    for (const at of [10, 8000, 16000, 31_990]) {
      const samples = new Float32Array(2 * 48000)
      samples[at * 3] = 1
      const made = await resample(samples, 48000, 16000)
      assert.equal(made.indexOf(made.reduce((a, b) => Math.max(a, b))), at)
    }
  })

  it('keeps conversions that run at the same time apart', async () => {
    const inputs = [300, 500, 700].map((hertz) => tone(hertz, 44100, 1))
    const alone = []
    for (const input of inputs) alone.push(await resample(input, 44100, 16000))
    const together = await Promise.all(inputs.map((input) => resample(input, 44100, 16000)))
    assert.deepEqual(together, alone)
  })

  it('starts afresh each time, whatever was converted before, and whether or not to the end', async () => {
    const expected = middle(tone(1000, 16000, 2))
    const first = await resample(tone(1000, 44100, 2), 44100, 16000)
    for (const [from, to] of [
      [8000, 48000],
      [48000, 16000],
      [44100, 16000],
    ] as const) {
      await resample(new Float32Array(20_000).fill(1), from, to)
      await assert.rejects(resample(new Float32Array(20_000).fill(1), from, to, AbortSignal.abort()), {
        name: 'AbortError',
      })
      const again = await resample(tone(1000, 44100, 2), 44100, 16000)
      assert.deepEqual(again, first)
      assert.ok(rms(middle(again).map((value, i) => value - expected[i]!)) < 1e-4)
    }
  })

  it('converts many short recordings quickly', async () => {
    await resample(new Float32Array(2), 8000, 16000)
    const begun = process.cpuUsage()
    for (let i = 0; i < 64; i++) await resample(new Float32Array(2), i % 2 ? 8000 : 48000, 16000)
    const { user } = process.cpuUsage(begun)
    assert.ok(user < 300_000, `${user} µs`)
  })

  it('works in a worker thread', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      import(workerData).then(({ resample }) => resample(new Float32Array(44100).fill(0.25), 44100, 16000))
        .then((made) => parentPort.postMessage([made.length, made[8000]]))`
    const worker = new Worker(code, { eval: true, workerData: import.meta.resolve('#src/audio/resample.js') })
    const [length, value] = await new Promise<[number, number]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    assert.equal(length, 16000)
    assert.ok(Math.abs(value - 0.25) < 1e-5)
  })
})
