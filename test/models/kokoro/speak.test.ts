/** The run half on a real engine. */
import assert from 'node:assert/strict'
import { ServiceError } from '#src/errors.js'
import { planKokoro } from '#src/models/kokoro/build.js'
import { mostFrames } from '#src/models/kokoro/limits.js'
import { loadKokoro, type SpeakEvent, type SpeakRequest } from '#src/models/kokoro/speak.js'
import type { Model } from '#src/models/model.js'
import { onCpu } from '#src/models/plan.js'
import type { Manifest } from '#src/runtime/manifest.js'
import { float32, floats, type Session } from '#src/runtime/session.js'
import { sentences } from './golden.js'
import { folder, Sessions, weights } from './sessions.js'

type Audio = SpeakEvent & { kind: 'audio' }
type End = SpeakEvent & { kind: 'end' }

describe('models/kokoro/speak', function () {
  this.timeout(300_000)
  const sessions = new Sessions()
  let kokoro: Model<SpeakRequest, SpeakEvent>

  const graphs = planKokoro(folder, weights, onCpu('float32')).graphs
  const opened = new Map<string, Promise<Session>>()
  const open = (name: string) => {
    const session = opened.get(name) ?? sessions.open(graphs.find(({ graph }) => graph.name === name)!.graph)
    opened.set(name, session)
    return session
  }
  /** Nothing of the manifest is read: the assets lie in the checkpoint's own folder. */
  const load = (openGraph: (name: string) => Promise<Session>) =>
    loadKokoro({ folder, manifest: {} as Manifest, slots: 1, stateBytes: 0, open: openGraph })
  before(async () => {
    kokoro = await load(open)
  })
  after(() => sessions.dispose())

  async function speak(
    request: Partial<SpeakRequest>,
    signal = new AbortController().signal,
    model = kokoro,
  ) {
    const events: SpeakEvent[] = []
    for await (const event of model.run({ text: '', voice: 'af_heart', speed: 1, ...request }, signal))
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

  it('halves a piece that turns out longer than the networks take, down to single characters', async () => {
    /** With a network that gives sequences of more than `many` ids more frames than there is room for. */
    const slowFor = (many: number) => async (name: string) => {
      const session = await open(name)
      if (name !== 'text') return session
      const run: Session['run'] = async (feeds) => {
        const spoken = await session.run(feeds)
        const durations = floats(spoken, 'durations')
        if (durations.length > many) durations.fill(mostFrames / many)
        return { ...spoken, durations: float32(durations, [1, durations.length]) }
      }
      return Object.assign(Object.create(session) as Session, { run })
    }
    const text = 'The weather is nice today, and so are you.'
    const whole = await speak({ text })
    assert.equal(whole.pieces.length, 1)
    const halved = await speak({ text }, undefined, await load(slowFor(30)))
    assert.deepEqual(
      halved.pieces.map((piece) => piece.text),
      ['The weather is nice today,', 'and so are you.'],
    )
    const never = await load(slowFor(1))
    await assert.rejects(speak({ text }, undefined, never), /"T" is spoken too long for one run/)
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
