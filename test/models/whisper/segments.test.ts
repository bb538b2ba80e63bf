import assert from 'node:assert/strict'
import { cutWindow } from '#src/models/whisper/segments.js'

const FIRST = 1000
const at = (seconds: number) => FIRST + Math.round(seconds / 0.02)
const cut = (tokens: number[], frames = 3000) =>
  cutWindow(tokens, { seek: 500, frames, firstTimestamp: FIRST })

describe('whisper: segments of a window', () => {
  it('cuts where two timestamps meet, and goes on from the last such pair', () => {
    const { pieces, advance } = cut([at(0), 1, 2, at(4), at(5), 3, at(9), at(9), 4])
    assert.deepEqual(pieces, [
      { startFrame: 500, endFrame: 900, tokens: [at(0), 1, 2, at(4)] },
      { startFrame: 1000, endFrame: 1400, tokens: [at(5), 3, at(9)] },
    ])
    assert.equal(advance, 900)
  })

  it('takes the whole window when it ends with a single timestamp', () => {
    const { pieces, advance } = cut([at(0), 1, at(4), at(4), 2, at(6.5)])
    assert.deepEqual(
      pieces.map(({ startFrame, endFrame }) => [startFrame, endFrame]),
      [
        [500, 900],
        [900, 1150],
      ],
    )
    assert.equal(advance, 3000)
  })

  it('makes one segment without a pair: to the last timestamp, or the end of the content', () => {
    assert.deepEqual(cut([at(0), 1, at(2)], 1200), {
      pieces: [{ startFrame: 500, endFrame: 700, tokens: [at(0), 1, at(2)] }],
      advance: 1200,
    })
    assert.equal(cut([at(0), 1, 2], 1200).pieces[0]!.endFrame, 1700)
    assert.equal(cut([], 1200).advance, 1200)
  })

  it('ends with a pair alone', () => {
    const { pieces, advance } = cut([at(0), 1, at(20), at(20)])
    assert.equal(pieces.length, 1)
    assert.equal(advance, 2000)
  })
})
