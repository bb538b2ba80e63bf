/** The small parts of the run half. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ServiceError } from '#src/errors.js'
import { frameCounts, frameIndex } from '#src/models/kokoro/durations.js'
import { fadeEnds } from '#src/models/kokoro/joints.js'
import { normals } from '#src/models/kokoro/noise.js'
import { Voices } from '#src/models/kokoro/voices.js'
import { checkpoint } from '../../root.js'

describe('models/kokoro/durations', () => {
  it('rounds halves to even numbers, but to 1 at least', () => {
    const durations = Float32Array.of(0, 0.4, 0.5, 1.5, 2.5, 3.5, 2.6, 7.2)
    assert.deepEqual(frameCounts(durations, 1), [1, 1, 1, 2, 2, 4, 3, 7])
    assert.deepEqual(frameCounts(durations, 0.5), [1, 1, 1, 3, 5, 7, 5, 14])
    assert.deepEqual(frameCounts(durations, 4), [1, 1, 1, 1, 1, 1, 1, 2])
  })

  it('repeats places', () => {
    assert.deepEqual(frameIndex([2, 1, 3]), [0, 0, 1, 2, 2, 2])
  })
})

describe('models/kokoro/noise', () => {
  it('is normal', () => {
    const values = normals(100_001, 'seed')
    const moment = (n: number) => values.reduce((sum, x) => sum + x ** n, 0) / values.length
    const moments = [0, 1, 0, 3]
    for (const [i, wanted] of moments.entries()) assert.ok(Math.abs(moment(i + 1) - wanted) < 0.05)
    const within = values.filter((x) => Math.abs(x) < 1).length / values.length
    assert.ok(Math.abs(within - 0.6827) < 0.005)
    const lagged = values.reduce((sum, x, i) => sum + x * (values[i + 1] ?? 0), 0) / values.length
    assert.ok(Math.abs(lagged) < 0.02, 'neighbours are independent')
  })

  it('is the same for the same seed only', () => {
    assert.deepEqual(normals(10, 'a'), normals(10, 'a'))
    assert.notDeepEqual(normals(10, 'a'), normals(10, 'b'))
  })
})

describe('models/kokoro/joints', () => {
  it('raises the start from zero and lowers the end to zero, and nothing else', () => {
    const samples = fadeEnds(new Float32Array(1000).fill(0.5))
    assert.equal(samples[0], 0)
    assert.equal(samples[999], 0)
    const steps = samples.map((value, i) => Math.abs(value - (samples[i - 1] ?? 0)))
    assert.ok(Math.max(...steps) < 0.02)
    assert.ok(samples.subarray(100, 900).every((value) => value === 0.5))
    assert.equal(fadeEnds(Float32Array.of(1)).length, 1)
  })
})

describe('models/kokoro/voices', () => {
  const voices = new Voices(join(checkpoint('kokoro-82m'), 'voices'), 128)

  it('lists the voices and their accents', () => {
    assert.equal(voices.names.length, 28)
    assert.equal(voices.accent('af_heart'), 'us')
    assert.equal(voices.accent('bm_george'), 'gb')
  })

  it('has a row of two styles for every number of phonemes', () => {
    const { decoder, prosody } = voices.styles('af_heart', 510)
    assert.equal(decoder.length, 128)
    assert.equal(prosody.length, 128)
    assert.notDeepEqual(voices.styles('af_heart', 1), voices.styles('af_heart', 2))
    assert.throws(() => voices.styles('af_heart', 511), /no row for 511/)
    assert.throws(() => voices.styles('af_heart', 0), /no row for 0/)
  })

  it('refuses an unknown voice and lists those there are', () => {
    const isUnknown = (error: unknown): boolean =>
      error instanceof ServiceError &&
      error.code === 'unknown_voice' &&
      /af_heart.*bm_lewis/.test(error.message)
    for (const name of ['alloy', '', 'af_', '../af_heart', 'zf_heart', 'toString'])
      assert.throws(() => voices.accent(name), isUnknown)
  })
})
