/** The run half on a real engine. */
import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import { planKokoro } from '#src/models/kokoro/build.js'
import { loadKokoro, type SpeakEvent, type SpeakRequest } from '#src/models/kokoro/speak.js'
import type { Model } from '#src/models/model.js'
import { onCpu } from '#src/models/plan.js'
import type { Manifest } from '#src/runtime/manifest.js'
import { sentences } from './golden.js'
import { folder, Sessions, weights } from './sessions.js'

type Audio = SpeakEvent & { kind: 'audio' }
type End = SpeakEvent & { kind: 'end' }

describe('models/kokoro/speak', function () {
  this.timeout(300_000)
  const sessions = new Sessions()
  let kokoro: Model<SpeakRequest, SpeakEvent>

  before(async () => {
    const plan = planKokoro(folder, weights, onCpu('float32'))
    const open = (name: string) => sessions.open(plan.graphs.find(({ graph }) => graph.name === name)!.graph)
    // nothing of the manifest is read: the assets lie in the checkpoint's own folder
    kokoro = await loadKokoro({ folder, manifest: {} as Manifest, stateBytes: 0, open })
  })
  after(() => sessions.dispose())

  async function speak(request: Partial<SpeakRequest>, signal = new AbortController().signal) {
    const events: SpeakEvent[] = []
    for await (const event of kokoro.run({ text: '', voice: 'af_heart', speed: 1, ...request }, signal))
      events.push(event)
    return { pieces: events.slice(0, -1) as Audio[], end: events.at(-1) as End }
  }

  it('says what it can', () => {
    assert.equal(kokoro.facts.sampleRate, 24_000)
    assert.ok((kokoro.facts.voices as string[]).includes('bf_emma'))
  })

  it('speaks a sentence as long as the reference does, between −1 and 1, with silent ends', async () => {
    const { text, samples, phonemes } = sentences.s1!
    const { pieces, end } = await speak({ text })
    assert.deepEqual(
      pieces.map((piece) => [piece.text, piece.samples.length]),
      [[text, samples]],
    )
    assert.deepEqual(end, { kind: 'end', seconds: samples / 24_000, symbols: phonemes.length })
    const audio = pieces[0]!.samples
    const rms = Math.sqrt(audio.reduce((sum, x) => sum + x * x, 0) / audio.length)
    assert.ok(rms > 0.03 && rms < 0.07, `RMS ${rms}`)
    assert.ok(audio.every((x) => Math.abs(x) < 1))
    assert.ok(audio[0]! === 0 && audio.at(-1) === 0)
  })

  it('speaks the same text the same way, wherever it stands', async () => {
    const [a, b] = ['This is a first sentence of some length.', 'And this is another one, for a change.']
    const both = await speak({ text: `${a} ${b}` })
    const alone = await speak({ text: b! })
    assert.deepEqual(
      both.pieces.map(({ text }) => text),
      [a, b],
    )
    assert.deepEqual(both.pieces[1]!.samples, alone.pieces[0]!.samples)
  })

  it('speaks British voices and other speeds', async () => {
    const text = 'The weather is nice today.'
    const [slow, fast] = await Promise.all(
      [0.5, 2].map((speed) => speak({ text, voice: 'bm_george', speed })),
    )
    assert.ok(
      slow!.end.seconds > 2.5 * fast!.end.seconds,
      `${slow!.end.seconds} s and ${fast!.end.seconds} s`,
    )
  })

  it('has nothing to say of text without words', async () => {
    for (const text of ['', '🙂', '…'])
      assert.deepEqual(await speak({ text }), { pieces: [], end: { kind: 'end', seconds: 0, symbols: 0 } })
  })

  it('refuses an unknown voice', async () => {
    const isUnknown = (error: unknown) => error instanceof ServiceError && error.code === 'unknown_voice'
    await assert.rejects(speak({ text: 'Hello.', voice: 'alloy' }), isUnknown)
  })

  it('stops between steps when nobody listens any more', async () => {
    const controller = new AbortController()
    const run = kokoro.run(
      { text: 'One sentence is said. The next one never is, I fear.', voice: 'af_heart', speed: 1 },
      controller.signal,
    )
    assert.equal((await run.next()).value?.kind, 'audio')
    controller.abort()
    await assert.rejects(run.next(), { name: 'AbortError' })
  })
})
