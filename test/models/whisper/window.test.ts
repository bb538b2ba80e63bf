import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { Sequence } from '#src/models/whisper/sequence.js'
import { specialTokens, startSequence } from '#src/models/whisper/tokens.js'
import { TEMPERATURES, WindowDecoder } from '#src/models/whisper/window.js'
import { float32, type Session } from '#src/runtime/session.js'
import { loadTokenizer } from '#src/text/tokenizer.js'
import { folder } from './engine.js'

const VOCABULARY = 51865
const WORD = 1029

describe('whisper: one window', () => {
  const tokenizer = loadTokenizer(folder)
  const special = specialTokens(tokenizer, VOCABULARY)
  const start = startSequence(special, 'en')
  const { endOfText, firstTimestamp, noSpeech, startOfPrevious } = special

  /** A network that always gives the same logits; what it was fed is in `fed`. */
  function constant(likely: Record<number, number>) {
    const fed: { tokens: number[]; past: number }[] = []
    const row = new Float32Array(VOCABULARY).fill(-1000)
    for (const [id, logit] of Object.entries(likely)) row[Number(id)] = logit
    const session: Session = {
      signature: {
        inputs: [],
        outputs: [{ name: 'logits', dtype: 'float32', dims: ['wanted', VOCABULARY] }],
        state: [],
        stateRows: 0,
        resident: [],
        slots: 0,
        profiles: [],
      },
      run: async ({ tokens, logit_rows }, uses) => {
        fed.push({ tokens: Array.from(tokens!.data, Number), past: uses![0]!.past })
        const rows = logit_rows!.data.length
        const logits = new Float32Array(rows * VOCABULARY)
        for (let i = 0; i < rows; i++) logits.set(row, i * VOCABULARY)
        return { logits: float32(logits, [rows, VOCABULARY]) }
      },
      together: (slots) => [slots],
      reserve: () => true,
      copy: () => {},
      release: () => {},
      dispose: async () => {},
    }
    return { sequence: new Sequence(session, 0), fed }
  }

  const decode = (sequence: Sequence, previous: readonly number[] = []) =>
    new WindowDecoder(tokenizer, special).decode(sequence, {
      previous,
      start,
      temperatures: TEMPERATURES,
      positions: 448,
      random: seededRandom(0),
      signal: new AbortController().signal,
    })

  it('is decoded with more chance when its text repeats itself', async () => {
    const { sequence, fed } = constant({ [firstTimestamp]: 0, [WORD]: 2, [endOfText]: 0 })
    const { temperature, tokens, compressionRatio } = await decode(sequence)
    assert.ok(temperature > 0 && tokens.length < 224)
    assert.ok(compressionRatio <= 2.4 || temperature === 1)
    // The prompt is fed once, the attempts begin behind it.
    assert.deepEqual(
      fed.filter(({ past }) => past < start.length).map((call) => call.tokens),
      [start],
    )
    assert.ok(fed.filter(({ past }) => past === start.length).length > 1)
  })

  it('is accepted at once when it is likely and does not repeat itself', async () => {
    const { sequence } = constant({ [firstTimestamp]: 0, [endOfText]: 5 })
    const { temperature, tokens, avgLogprob } = await decode(sequence)
    assert.equal(temperature, 0)
    assert.deepEqual(tokens, [firstTimestamp])
    assert.ok(Math.abs(avgLogprob) < 1e-6)
  })

  it('is accepted at once when it is silence, however unlikely its text', async () => {
    const flat = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [1000 + i, 1]))
    const likely = { ...flat, [firstTimestamp]: 0, [WORD]: 1.1, [noSpeech]: 8 }
    const { temperature, noSpeechProb, avgLogprob } = await decode(constant(likely).sequence)
    assert.equal(temperature, 0)
    assert.ok(noSpeechProb > 0.6 && avgLogprob < -1)
  })

  it('sees the last 223 tokens before it, and ends where the positions end', async () => {
    const previous = Array.from({ length: 300 }, (_, i) => i + 100)
    const { sequence, fed } = constant({ [firstTimestamp]: 0, [WORD]: 20, [endOfText]: 0 })
    const { tokens } = await decode(sequence, previous)
    assert.deepEqual(fed[0]!.tokens, [startOfPrevious, ...previous.slice(77), ...start])
    assert.equal(tokens.length, 448 - 227 + 1)
    assert.equal(Math.max(...fed.map(({ past, tokens }) => past + tokens.length)), 448)
  })
})
