/** The three networks, on whatever runs them, saying the golden sentences. */
import { join } from 'node:path'
import type { Dim } from '#src/graph/graph.js'
import { frameIndex } from '#src/models/kokoro/durations.js'
import type { Observe } from '#src/models/kokoro/graph/layers.js'
import { Voices } from '#src/models/kokoro/voices.js'
import { float32, floats, int64, type Session } from '#src/runtime/session.js'
import { sentences } from './golden.js'
import { config, folder } from './sessions.js'

export const voices = new Voices(join(folder, 'voices'), config.style)

const hidden: Readonly<Record<string, readonly Dim[]>> = {
  bert_out: ['ids', 768],
  d_en: ['ids', 512],
  decoder_out: [1, 512, 1, 'steps'],
  har_source: [1, 'samples'],
}
/** Makes hidden values outputs, as float32. */
export const observe: Observe = (name, value) =>
  value.graph.output(name, value.graph.cast(value, 'float32'), hidden[name]!)

/** What the networks make of a golden sentence, each number by the golden's name. */
export type Numbers = Readonly<Record<string, Float32Array>>

/** With the golden durations, and no noise. */
export async function speakGolden(
  { text, prosody, vocoder }: Readonly<Record<'text' | 'prosody' | 'vocoder', Session>>,
  name: string,
): Promise<Numbers> {
  const { voice, phonemes, ids, durations } = sentences[name]!
  const styles = voices.styles(voice, phonemes.length)
  const style = float32(styles.prosody, [1, 128])
  const index = int64(frameIndex(durations))
  const samples = index.data.length * config.frameSamples
  const spoken = await text.run({ ids: int64(ids, [1, ids.length]), style })
  const curves = await prosody.run({ features: spoken.features!, index, style })
  const sound = await vocoder.run({
    encoded: spoken.encoded!,
    index,
    f0: curves.f0!,
    energy: curves.energy!,
    style: float32(styles.decoder, [1, 128]),
    noise: float32(new Float32Array(samples), [1, samples]),
  })
  const all = { ...spoken, ...curves, ...sound }
  return Object.fromEntries(Object.keys(all).map((key) => [key, floats(all, key)]))
}
