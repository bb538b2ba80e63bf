import assert from 'node:assert/strict'
import { decodeRecording } from '#src/audio/decode.js'
import { encodePcm } from '#src/audio/pcm.js'
import { inspectWav } from '#src/audio/wav.js'
import { wav as wavBytes } from './wav-bytes.js'

describe('audio/pcm', () => {
  it('writes pcm16: clamped, rounded to the nearest, little-endian', () => {
    const values = [0, 1, -1, 2, -2, 0.5, -0.5, 1.4 / 32768, 1.6 / 32768, -1.4 / 32768, -1.6 / 32768]
    const bytes = encodePcm([Float32Array.from(values)], 24000, 'pcm16')
    const samples = values.map((_, i) => bytes.readInt16LE(2 * i))
    assert.deepEqual(samples, [0, 32767, -32768, 32767, -32768, 16384, -16384, 1, 2, -1, -2])
    assert.equal(bytes.length, 2 * values.length)
  })

  it('rounds as Math.round does, also next to every half', () => {
    const halves = Float32Array.from({ length: 65536 }, (_, i) => (i - 32767.5) / 32768)
    const bits = new Int32Array(halves.buffer)
    for (const step of [0, 1, -2]) {
      for (let i = 0; i < bits.length; i++) bits[i]! += step
      const bytes = encodePcm([halves], 24000, 'pcm16')
      for (const [i, value] of halves.entries())
        assert.equal(bytes.readInt16LE(2 * i), Math.min(32767, Math.round(value * 32768)) + 0, String(value))
    }
  })

  it('writes the header that others write, byte for byte', () => {
    const pcm = encodePcm([Float32Array.of(0.25, -1)], 24000, 'pcm16')
    const file = encodePcm([Float32Array.of(0.25, -1)], 24000, 'wav')
    assert.ok(file.equals(wavBytes(pcm, { rate: 24000 })))
  })

  it('encodes five minutes without holding the event loop up', () => {
    const pieces = Array.from({ length: 60 }, () => new Float32Array(5 * 24000).fill(0.3))
    const begun = process.cpuUsage()
    assert.equal(encodePcm(pieces, 24000, 'wav').length, 44 + 300 * 24000 * 2)
    const { user } = process.cpuUsage(begun)
    assert.ok(user < 250_000, `${user} µs`)
  })

  it('writes the same samples as WAV, behind a 44-byte header, for every 16-bit value', () => {
    const ramp = Float32Array.from({ length: 65536 }, (_, i) => (i - 32768) / 32768)
    const wav = encodePcm([ramp], 24000, 'wav')
    assert.deepEqual(inspectWav(wav, 'reply'), {
      format: 'pcm',
      bitsPerSample: 16,
      channels: 1,
      sampleRate: 24000,
      frames: 65536,
      dataOffset: 44,
    })
    assert.equal(wav.length, 44 + 131072)
    assert.ok(wav.subarray(44).equals(encodePcm([ramp], 24000, 'pcm16')))
    for (let i = 0; i < 65536; i++) assert.equal(wav.readInt16LE(44 + 2 * i), i - 32768)
  })

  it('joins the pieces in order and takes empty ones', () => {
    const pieces = [Float32Array.of(0.25), new Float32Array(0), Float32Array.of(-0.25, 0.125)]
    const bytes = encodePcm(pieces, 24000, 'pcm16')
    assert.deepEqual(
      [0, 2, 4].map((at) => bytes.readInt16LE(at)),
      [8192, -8192, 4096],
    )
    assert.equal(encodePcm([], 24000, 'pcm16').length, 0)
    assert.equal(encodePcm([], 24000, 'wav').length, 44)
  })

  it('comes back from decodeRecording within half a step', async () => {
    const samples = Float32Array.from({ length: 16000 }, (_, i) => 0.9 * Math.sin(i / 7))
    const back = await decodeRecording(encodePcm([samples], 16000, 'wav'), { maxSeconds: 2 }, 'reply')
    assert.equal(back.length, samples.length)
    assert.ok(back.every((value, i) => Math.abs(value - samples[i]!) <= 0.5 / 32768))
  })

  it('comes back from 24 kHz as the same tone', async () => {
    const at = (rate: number): Float32Array =>
      Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate))
    const back = await decodeRecording(encodePcm([at(24000)], 24000, 'wav'), { maxSeconds: 2 }, 'reply')
    const expected = at(16000)
    assert.equal(back.length, 16000)
    for (let i = 1000; i < 15000; i++) assert.ok(Math.abs(back[i]! - expected[i]!) < 1e-4)
  })
})
