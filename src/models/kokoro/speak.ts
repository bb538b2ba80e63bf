/** Kokoro's run half: text in, pieces of audio out. */
import { join } from 'node:path'
import { float32, floats, int64, type Session } from '../../runtime/session.js'
import type { Model, ModelContext } from '../model.js'
import { bindings, graphNames, type KokoroBindings } from './bindings.js'
import { type KokoroConfig, readConfig, SAMPLE_RATE } from './config.js'
import { frameCounts, frameIndex } from './durations.js'
import { fadeEnds } from './joints.js'
import { mostFrames, mostPhonemes } from './limits.js'
import { normals } from './noise.js'
import { type Accent, loadPhonemiser, type Phonemiser } from './phonemes/phonemes.js'
import { cutIntoPieces, halved, lengthOf, type Piece, type PieceLimits } from './pieces.js'
import { Voices } from './voices.js'

export interface SpeakRequest {
  readonly text: string
  /** One of the model's own voices. */
  readonly voice: string
  /** 0.25 … 4; 1 is the voice's own. */
  readonly speed: number
  /** The text goes on after another that is already heard: its first sound is in no hurry. */
  readonly continues?: boolean
}

export type SpeakEvent =
  /** Samples at 24 kHz, and what they say. */
  | { readonly kind: 'audio'; readonly samples: Float32Array; readonly text: string }
  | { readonly kind: 'end'; readonly seconds: number; readonly symbols: number }

export async function loadKokoro(context: ModelContext): Promise<Model<SpeakRequest, SpeakEvent>> {
  const config = readConfig(context.folder)
  const voices = new Voices(join(context.folder, 'voices'), config.style)
  const lexicons = join(context.folder, 'lexicon')
  const phonemisers = new Map<Accent, Phonemiser>([['us', loadPhonemiser(lexicons, 'us')]])
  const networks = {
    text: await context.open(graphNames.text),
    prosody: await context.open(graphNames.prosody),
    vocoder: await context.open(graphNames.vocoder),
  }
  return new Kokoro(config, voices, networks, (accent) => {
    const phonemiser = phonemisers.get(accent) ?? loadPhonemiser(lexicons, accent)
    phonemisers.set(accent, phonemiser)
    return phonemiser
  })
}

type Networks = Readonly<Record<keyof typeof graphNames, Session>>

class Kokoro implements Model<SpeakRequest, SpeakEvent> {
  readonly parallel = 1
  readonly facts: Readonly<Record<string, unknown>>
  readonly #config: KokoroConfig
  readonly #bindings: KokoroBindings
  readonly #voices: Voices
  readonly #networks: Networks
  readonly #phonemiser: (accent: Accent) => Phonemiser

  constructor(
    config: KokoroConfig,
    voices: Voices,
    networks: Networks,
    phonemiser: (accent: Accent) => Phonemiser,
  ) {
    this.#config = config
    this.#bindings = bindings(config)
    this.#voices = voices
    this.#networks = networks
    this.#phonemiser = phonemiser
    this.facts = { sampleRate: SAMPLE_RATE, voices: voices.names }
  }

  /** Text without anything to say gives no audio, only the end. @throws ServiceError for an unknown voice. */
  async *run(
    { text, voice, speed, continues = false }: SpeakRequest,
    signal: AbortSignal,
  ): AsyncGenerator<SpeakEvent> {
    const phonemiser = this.#phonemiser(this.#voices.accent(voice))
    let [samples, symbols] = [0, 0]
    const limits = limitsAt(speed, this.#config.maxIds - 2, continues)
    for (const piece of cutIntoPieces(text, phonemiser, limits))
      for await (const part of this.#say(piece, phonemiser, voice, speed, signal)) {
        samples += part.samples.length
        symbols += lengthOf(part.phonemes)
        yield { kind: 'audio', samples: part.samples, text: part.text }
      }
    yield { kind: 'end', seconds: samples / SAMPLE_RATE, symbols }
  }

  async dispose(): Promise<void> {
    for (const session of Object.values(this.#networks)) await session.dispose()
  }

  /** A piece as one sound, or, if that is too long for the networks, as those of its halves. */
  async *#say(
    piece: Piece,
    phonemiser: Phonemiser,
    voice: string,
    speed: number,
    signal: AbortSignal,
  ): AsyncGenerator<Piece & { readonly samples: Float32Array }> {
    const { text, prosody, vocoder } = this.#networks
    const names = this.#bindings
    const styles = this.#voices.styles(voice, lengthOf(piece.phonemes))
    const style = float32(styles.prosody, [1, styles.prosody.length])
    const ids = this.#ids(piece.phonemes)

    signal.throwIfAborted()
    const spoken = await text.run({
      [names.ids.name]: int64(ids, [1, ids.length]),
      [names.prosodyStyle.name]: style,
    })
    const frames = frameIndex(frameCounts(floats(spoken, names.durations.name), speed))
    if (frames.length > mostFrames) {
      for (const half of halved(piece, phonemiser)) yield* this.#say(half, phonemiser, voice, speed, signal)
      return
    }
    const index = int64(frames)

    signal.throwIfAborted()
    const curves = await prosody.run({
      [names.features.name]: spoken[names.features.name]!,
      [names.index.name]: index,
      [names.prosodyStyle.name]: style,
    })

    signal.throwIfAborted()
    const count = index.data.length * this.#config.frameSamples
    const sound = await vocoder.run({
      [names.encoded.name]: spoken[names.encoded.name]!,
      [names.index.name]: index,
      [names.f0.name]: curves[names.f0.name]!,
      [names.energy.name]: curves[names.energy.name]!,
      [names.decoderStyle.name]: float32(styles.decoder, [1, styles.decoder.length]),
      // by what is said: the same piece sounds the same wherever it stands
      [names.noise.name]: float32(normals(count, piece.phonemes), [1, count]),
    })
    yield { ...piece, samples: fadeEnds(floats(sound, names.audio.name)) }
  }

  /** Begin, the characters that the network knows, end. */
  #ids(phonemes: string): number[] {
    const { symbols } = this.#config
    return [0, ...Array.from(phonemes, (character) => symbols.get(character) ?? 0).filter(Boolean), 0]
  }
}

const firstPhonemes = 100
const shortPhonemes = 20

/** @param possible phonemes that the networks take at once */
function limitsAt(speed: number, possible: number, continues: boolean): PieceLimits {
  const most = Math.min(Math.floor(mostPhonemes * Math.min(1, speed)), possible)
  return { most, first: continues ? most : Math.min(firstPhonemes, most), short: shortPhonemes }
}
