/** Whisper's built engine against the reference's transcripts. */
import assert from 'node:assert/strict'
import type { Model } from '#src/models/model.js'
import { loadWhisper, type TranscribeEvent, type TranscribeRequest } from '#src/models/whisper/transcribe.js'
import { clip, clips, collected, golden, longform } from '../models/whisper/golden.js'
import { measured, type OpenedEngine, openBuilt } from './engine.js'

/** Mean log-probability of a transcript, in any precision: texts must be equal, so this only catches a drift. */
const LIMIT = 0.05

describe('whisper on the built engine', function () {
  this.timeout(600_000)
  const { signal } = new AbortController()
  let built: OpenedEngine
  let model: Model<TranscribeRequest, TranscribeEvent>
  before(async () => {
    built = await openBuilt('whisper')
    model = await loadWhisper(built.context)
  })
  after(async () => {
    await model?.dispose()
    await built?.engine.dispose()
  })

  for (const name of clips)
    it(`hears ${name} as the reference does`, async () => {
      const events = await collected(model.run({ audio: clip(name) }, signal))
      const end = events.at(-1)
      assert.ok(end?.kind === 'end')
      const wanted = golden.files[name]!.transcribe
      assert.equal(end.text, wanted.text.trim())
      assert.equal(end.language, 'en')
      const [first] = events
      assert.ok(first?.kind === 'segment')
      const drift = Math.abs(first.segment.avgLogprob - wanted.segments[0]!.avg_logprob)
      measured('difference of the mean log-probability', drift)
      assert.ok(drift < LIMIT)
    })

  it('hears a recording of 78 s in five windows', async () => {
    const events = await collected(model.run({ audio: longform(), language: 'en' }, signal))
    const end = events.at(-1)
    assert.ok(end?.kind === 'end')
    assert.equal(end.text, golden.longform.variants.conditioned.text.trim())
  })
})
