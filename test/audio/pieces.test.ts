import assert from 'node:assert/strict'
import { encodePcm } from '#src/audio/pcm.js'
import { Base64Pieces } from '#src/audio/pieces.js'

const noise = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * i))

describe('audio/pieces', () => {
  for (const lengths of [
    [0],
    [1],
    [2],
    [3],
    [1, 1, 1, 1, 1],
    [50_000],
    [12_000, 12_001, 5],
    [0, 7, 0, 30_000],
  ])
    it(`joins to the same sound from pieces of ${lengths.join(', ')} samples`, () => {
      const sounds = lengths.map(noise)
      const pieces = new Base64Pieces()
      const whole = sounds.flatMap((samples) => [...pieces.push(samples)])
      const rest = pieces.end()
      for (const piece of whole) {
        assert.equal(Buffer.from(piece, 'base64').length % 6, 0)
        assert.ok(piece.length > 0 && piece.length <= 32_000)
      }
      assert.ok(Buffer.from(rest, 'base64').length < 6)
      const joined = Buffer.from(whole.join('') + rest, 'base64')
      assert.deepEqual(joined, encodePcm(sounds, 24_000, 'pcm16'))
    })
})
