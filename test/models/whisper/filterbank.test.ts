import assert from 'node:assert/strict'
import { BINS, fourierBasis, melFilters } from '#src/models/whisper/graph/filterbank.js'

describe('whisper: filterbank', () => {
  for (const mels of [80, 128])
    it(`has ${mels} triangles of equal area, in order`, () => {
      const filters = melFilters(mels)
      const peaks = Array.from({ length: mels }, (_, mel) => {
        const row = filters.subarray(mel * BINS, (mel + 1) * BINS)
        assert.ok(row.every((weight) => weight >= 0))
        // Sampled every 40 Hz; narrow triangles may lie between two samples.
        const area = row.reduce((a, b) => a + b) * 40
        if (mel > mels / 2) assert.ok(Math.abs(area - 1) < 0.1, `filter ${mel} has an area of ${area}`)
        return row.indexOf(row.reduce((a, b) => Math.max(a, b)))
      })
      assert.deepEqual(
        peaks,
        peaks.toSorted((a, b) => a - b),
      )
    })

  it('agrees with librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)', () => {
    const filters = melFilters(80)
    // Its first three rows begin with these, at bins 1, 1 and 2, 2 and 3.
    const known = [
      [0, 1, 0.02486259],
      [1, 1, 0.001990848],
      [1, 2, 0.02287174],
      [2, 2, 0.003981695],
      [2, 3, 0.0208809],
    ]
    for (const [mel, bin, weight] of known)
      assert.ok(Math.abs(filters[mel! * BINS + bin!]! - weight!) < 1e-6, `${mel}, ${bin}`)
  })

  it('turns a cosine into one line of half the window, at its bin', () => {
    const basis = fourierBasis()
    const bin = 25
    const power = Array.from({ length: BINS }, (_, k) => {
      let [re, im] = [0, 0]
      for (let n = 0; n < 400; n++) {
        const sample = Math.cos((2 * Math.PI * bin * n) / 400 + 0.3)
        re += basis[k * 400 + n]! * sample
        im += basis[(BINS + k) * 400 + n]! * sample
      }
      return re * re + im * im
    })
    assert.ok(Math.abs(power[bin]! - 100 ** 2) < 0.1)
    assert.ok(Math.abs(power[bin + 1]! - 50 ** 2) < 0.1)
    assert.ok(power[bin + 2]! < 1e-6)
  })
})
