import assert from 'node:assert/strict'
import type { Model } from '#src/models/model.js'
import type { CpuPrecision } from '#src/models/plan.js'
import { type Segment, transcribeWindows } from '#src/models/whisper/longform.js'
import { loadWhisper, type TranscribeEvent, type TranscribeRequest } from '#src/models/whisper/transcribe.js'
import { context, engine } from './engine.js'
import { clip, clips, collected, DEFLATE, type GoldenSegment, golden, longform } from './golden.js'

const signal = new AbortController().signal

/** The first `limit` is for log-probabilities, and four times it for the probability of silence, a steep function. */
function sameSegments(actual: readonly Segment[], wanted: readonly GoldenSegment[], limit: number): void {
  const exact = ({ id, seek, start, end, text, tokens, temperature }: Segment | GoldenSegment) => ({
    id,
    seek,
    start,
    end,
    text,
    tokens,
    temperature,
  })
  assert.deepEqual(actual.map(exact), wanted.map(exact))
  for (const [i, segment] of actual.entries()) {
    assert.ok(Math.abs(segment.avgLogprob - wanted[i]!.avg_logprob) < limit)
    assert.ok(Math.abs(segment.noSpeechProb - wanted[i]!.no_speech_prob) < 4 * limit)
    assert.ok(Math.abs(segment.compressionRatio - wanted[i]!.compression_ratio) < DEFLATE)
  }
}

const limits: Record<CpuPrecision, number> = { float32: 1e-3, int8: 5e-3 }

for (const precision of ['float32', 'int8'] as const)
  describe(`whisper: transcription in ${precision}`, function () {
    this.timeout(120_000)
    let model: Model<TranscribeRequest, TranscribeEvent>
    before(async () => {
      model = await loadWhisper(context(precision))
    })
    after(() => model.dispose())

    async function heard(request: TranscribeRequest) {
      const segments: Segment[] = []
      for await (const event of model.run(request, signal))
        if (event.kind === 'end') return { ...event, segments }
        else segments.push(event.segment)
      throw new Error('the events have no end')
    }

    // The int8 form hears all clips in greedy.test.ts.
    for (const name of precision === 'int8' ? ['jfk', 'spk1_snt1'] : clips)
      it(`transcribes ${name}, whose language it finds`, async () => {
        const audio = clip(name)
        const wanted = golden.files[name]!.transcribe
        const { text, language, seconds, tokens, segments } = await heard({ audio })
        assert.equal(text, wanted.text.trim())
        assert.equal(language, 'en')
        assert.equal(seconds, audio.length / 16000)
        assert.equal(tokens, wanted.segments[0]!.tokens.length)
        sameSegments(segments, wanted.segments, limits[precision])
      })

    const variants =
      precision === 'int8' ? (['conditioned'] as const) : (['conditioned', 'unconditioned'] as const)
    for (const variant of variants)
      it(`transcribes a recording of 78 s, ${variant} on the text before`, async () => {
        const wanted = golden.longform.variants[variant]
        const conditionOnPrevious = variant === 'conditioned'
        const options = { audio: longform(), language: 'en', conditionOnPrevious }
        const windows = await collected(transcribeWindows(await engine(precision), options, signal))
        assert.deepEqual(
          windows.map(({ seek, result: { tokens } }) => ({ seek, tokens })),
          wanted.windows.map(({ seek, tokens }) => ({ seek, tokens })),
        )
        const segments = windows.flatMap((window) => window.segments)
        sameSegments(segments, wanted.segments, limits[precision])
        assert.equal(segments.map(({ text }) => text).join(''), wanted.text)
      })

    it('hears nothing in no audio and in silence', async () => {
      for (const samples of [0, 100, 16000, 40 * 16000]) {
        const { text, segments, seconds } = await heard({ audio: new Float32Array(samples), language: 'en' })
        assert.deepEqual({ text, segments, seconds }, { text: '', segments: [], seconds: samples / 16000 })
      }
    })

    it('refuses a language that it does not know, and lists those it does', async () => {
      await assert.rejects(heard({ audio: clip('jfk'), language: 'klingon' }), (error: unknown) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, /"klingon".* en, zh, de, .* su\.$/)
        assert.deepEqual(
          { ...error, stack: 0 },
          { code: 'invalid_value', param: 'language', name: 'ServiceError', stack: 0 },
        )
        return true
      })
    })

    it('refuses samples that are not numbers', async () => {
      const audio = clip('jfk').with(5000, Number.NaN)
      await assert.rejects(heard({ audio }), { code: 'invalid_audio', param: 'audio' })
    })

    it('stops between steps when nobody listens any more', async () => {
      const gone = new AbortController()
      const begun = performance.now()
      const running = collected(model.run({ audio: longform(), language: 'en' }, gone.signal))
      setTimeout(() => gone.abort(new Error('gone')), 1)
      await assert.rejects(running, /gone/)
      assert.ok(performance.now() - begun < 5000)
      assert.equal(
        (await heard({ audio: clip('spk1_snt1'), language: 'en' })).text,
        'The child almost hurt the small dog.',
      )
    })
  })
