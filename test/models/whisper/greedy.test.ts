import assert from 'node:assert/strict'
import { decode } from '#src/decoding/decode.js'
import { suppress, suppressAtStart } from '#src/decoding/rules.js'
import { argmax } from '#src/decoding/sampler.js'
import { languageProbabilities } from '#src/models/whisper/language.js'
import type { Whisper } from '#src/models/whisper/longform.js'
import { Recording } from '#src/models/whisper/mel.js'
import { Sequence } from '#src/models/whisper/sequence.js'
import { startSequence } from '#src/models/whisper/tokens.js'
import { int64 } from '#src/runtime/session.js'
import { engine, type Form } from './engine.js'
import { clip, clips, DEFLATE, golden, numbers } from './golden.js'

const signal = new AbortController().signal

/** A sequence over the clip followed by silence to 30 s. */
async function silencePadded({ mel, encoder, decoder, config }: Whisper, name: string): Promise<Sequence> {
  const recording = await Recording.open(mel, config, clip(name), signal)
  const { feeds } = await recording.window(0)
  await encoder.run({ ...feeds, frames: int64([3000]) }, [{ slot: 0, past: 0 }])
  return new Sequence(decoder, 0)
}

const near = (actual: number, wanted: number, limit: number, what: string) =>
  assert.ok(Math.abs(actual - wanted) < limit, `${what} is ${actual} instead of ${wanted}`)

interface Limits {
  readonly logits: number
  readonly probability: number
  readonly logprob: number
  /** The portable forms are slow: those that only show where float16 stands hear less. */
  readonly heard: readonly string[]
  /** Clips whose last timestamp is a near tie (margins of 0.055 and 0.050) that this form decides otherwise. */
  readonly ties?: readonly string[]
}

/**
 * Limits on probabilities; what a form loses is measured here, not only bounded by the texts. Logits: the largest
 * difference over the reference's five largest of every step.
 */
const limits: Partial<Record<Form, Limits>> = {
  float32: { logits: 1e-3, probability: 1e-3, logprob: 1e-3, heard: clips },
  int8: { logits: 0.07, probability: 5e-3, logprob: 5e-3, heard: clips },
  'tensorrt float32': { logits: 1e-3, probability: 1e-3, logprob: 1e-3, heard: ['spk1_snt2'] },
  'tensorrt float16': { logits: 0.08, probability: 1e-3, logprob: 2e-3, heard: clips },
  'tensorrt int8': { logits: 0.15, probability: 1e-3, logprob: 2e-3, heard: ['jfk'] },
  'tensorrt bfloat16': {
    logits: 1,
    probability: 1e-2,
    logprob: 1e-2,
    heard: ['spk1_snt2', 'spk1_snt3', 'spk1_snt4'],
    ties: ['spk1_snt2', 'spk1_snt4'],
  },
}

for (const [form, limit] of Object.entries(limits) as [Form, Limits][])
  describe(`whisper: greedy decoding in ${form}`, function () {
    this.timeout(180_000)
    let whisper: Whisper
    before(async () => {
      whisper = await engine(form)
    })

    for (const name of limit.heard)
      it(`hears ${name} as the reference does`, async () => {
        const wanted = golden.files[name]!
        const { special, windows, tokenizer } = whisper
        const sequence = await silencePadded(whisper, name)

        const languages = await languageProbabilities(sequence, special)
        assert.equal(languages.size, 99)
        for (const [code, probability] of Object.entries(wanted.language_top5))
          near(languages.get(code)!, probability, limit.probability, code)

        const start = startSequence(special, 'en')
        const plain = await withoutTimestamps(sequence, [...start, special.noTimestamps], name)
        assert.deepEqual(plain.tokens, wanted.no_timestamps.tokens)
        assert.equal(tokenizer.decode(plain.tokens).trim(), wanted.no_timestamps.text)
        assert.ok(plain.worst < limit.logits, `logits differ by ${plain.worst}`)

        const options = {
          previous: [],
          start,
          temperatures: [0],
          positions: 448,
          random: Math.random,
          signal,
        }
        const timed = await windows.decode(sequence, options)
        const [last, wantedLast] = [timed.tokens.at(-1)!, wanted.timestamps.tokens.at(-1)!]
        const tied = limit.ties?.includes(name) && last !== wantedLast && Math.abs(last - wantedLast) <= 3
        assert.deepEqual(tied ? timed.tokens.with(-1, wantedLast) : timed.tokens, wanted.timestamps.tokens)
        near(timed.avgLogprob, wanted.timestamps.avg_logprob, limit.logprob, 'avgLogprob')
        near(timed.noSpeechProb, wanted.timestamps.no_speech_prob, limit.probability, 'noSpeechProb')
        near(timed.compressionRatio, wanted.timestamps.compression_ratio, DEFLATE, 'compressionRatio')
      })

    async function withoutTimestamps(sequence: Sequence, prompt: readonly number[], name: string) {
      const { suppressed, suppressedAtStart, endOfText } = whisper.special
      const rules = [suppressAtStart(suppressedAtStart), suppress(suppressed)]
      const ids = numbers(`${name}.dec.top5_ids`)
      const wanted = numbers(`${name}.dec.top5_logits`)
      let worst = 0
      const select = (logits: Float32Array, tokens: readonly number[]): number => {
        for (let i = 5 * tokens.length; i < 5 * tokens.length + 5; i++)
          worst = Math.max(worst, Math.abs(logits[ids[i]!]! - wanted[i]!))
        for (const rule of rules) rule(logits, tokens)
        return argmax(logits)
      }
      const [first] = await sequence.feed(prompt, 0, [prompt.length - 1])
      const step = async (token: number, at: number) => (await sequence.feed([token], at, [0]))[0]!
      const options = { step, select, stopTokens: new Set([endOfText]), maxTokens: 224 }
      const tokens: number[] = []
      for await (const { token } of decode(first!, prompt.length, options)) tokens.push(token)
      return { tokens, worst }
    }
  })
