/** Kokoro's built engine against the reference's sentences. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { bindings, graphNames } from '#src/models/kokoro/bindings.js'
import { readConfig } from '#src/models/kokoro/config.js'
import { frameCounts, frameIndex } from '#src/models/kokoro/durations.js'
import { mostPhonemes } from '#src/models/kokoro/limits.js'
import { Voices } from '#src/models/kokoro/voices.js'
import type { Precision } from '#src/runtime/manifest.js'
import { float32, floats, int64, type Session } from '#src/runtime/session.js'
import { golden, logMel, relativeRms, sentences } from '../models/kokoro/golden.js'
import { measured, type OpenedEngine, openBuilt } from './engine.js'

/** F0 by its relative RMS error; the sound by the mean difference of its log10-mel. */
const limits: Record<Precision, { f0: number; mel: number }> = {
  float32: { f0: 5e-3, mel: 0.04 },
  float16: { f0: 2e-2, mel: 0.06 },
  bfloat16: { f0: 1e-1, mel: 0.15 },
  int8: { f0: 2e-2, mel: 0.06 },
  int4: { f0: 2e-2, mel: 0.06 },
  fp8: { f0: 2e-2, mel: 0.06 },
}

describe('kokoro on the built engine', function () {
  this.timeout(600_000)
  let built: OpenedEngine
  const sessions: Record<string, Session> = {}
  before(async () => {
    built = await openBuilt('kokoro')
    for (const name of Object.values(graphNames)) sessions[name] = await built.context.open(name)
  })
  after(async () => {
    for (const session of Object.values(sessions)) await session.dispose()
    await built?.engine.dispose()
  })

  // What is longer is said in pieces, and engines have no room for it.
  const pieces = Object.entries(sentences).filter(([, { phonemes }]) => phonemes.length <= mostPhonemes)
  for (const [name, { voice, phonemes, ids, durations, speed }] of pieces)
    it(`speaks ${name} with the same durations, pitch and sound`, async () => {
      const { folder } = built.context
      const config = readConfig(folder)
      const names = bindings(config)
      const limit = limits[built.precision]
      const styles = new Voices(join(folder, 'voices'), config.style).styles(voice, phonemes.length)
      const style = float32(styles.prosody, [1, styles.prosody.length])
      const spoken = await sessions.text!.run({
        [names.ids.name]: int64(ids, [1, ids.length]),
        [names.prosodyStyle.name]: style,
      })
      const counts = frameCounts(floats(spoken, names.durations.name), speed)
      const moved = counts.filter((count, i) => count !== durations[i]).length
      measured(`ids of ${ids.length} that last a frame longer or shorter`, moved)
      assert.deepEqual(counts, durations)

      const index = int64(frameIndex(durations))
      const curves = await sessions.prosody!.run({
        [names.features.name]: spoken[names.features.name]!,
        [names.index.name]: index,
        [names.prosodyStyle.name]: style,
      })
      const f0 = measured(
        'relative error of F0',
        relativeRms(floats(curves, names.f0.name), golden(`${name}.F0`)),
      )
      assert.ok(f0 <= limit.f0)

      const samples = index.data.length * config.frameSamples
      const sound = await sessions.vocoder!.run({
        [names.encoded.name]: spoken[names.encoded.name]!,
        [names.index.name]: index,
        [names.f0.name]: curves[names.f0.name]!,
        [names.energy.name]: curves[names.energy.name]!,
        [names.decoderStyle.name]: float32(styles.decoder, [1, styles.decoder.length]),
        [names.noise.name]: float32(new Float32Array(samples), [1, samples]),
      })
      const wanted = golden(`${name}.log_mel`)
      const mel = logMel(floats(sound, names.audio.name))
      const off = wanted.reduce((sum, value, i) => sum + Math.abs(value - mel[i]!), 0) / wanted.length
      measured('mean difference of the log-mel', off)
      assert.ok(off <= limit.mel)
    })
})
