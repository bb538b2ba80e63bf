/** Whisper's verb: a recording to its text. */
import { loadTokenizer } from '../../text/tokenizer.js'
import type { Model, ModelContext } from '../model.js'
import { SAMPLE_RATE } from './bindings.js'
import { readConfig } from './config.js'
import { checkLanguage } from './language.js'
import { type Segment, transcribeWindows, type Whisper } from './longform.js'
import { specialTokens } from './tokens.js'
import { textOf, WindowDecoder } from './window.js'

export type { Segment } from './longform.js'

export interface TranscribeRequest {
  /** 16 kHz, mono, full scale ±1; any length. */
  readonly audio: Float32Array
  /** A code that the model knows, such as `en`; detected in the first 30 s if absent. */
  readonly language?: string
  /** Text that the recording is taken to continue: names, spellings, style. */
  readonly prompt?: string
  /** 0 (also if absent): the likeliest text, and more chance only for windows that go wrong. Else this one alone. */
  readonly temperature?: number
}

export type TranscribeEvent =
  /** Segments come in the order of time, each as soon as its window is done. */
  | { readonly kind: 'segment'; readonly segment: Segment }
  | {
      readonly kind: 'end'
      /** The whole text, without outer spaces. */
      readonly text: string
      readonly language: string
      /** Length of the recording. */
      readonly seconds: number
      /** Tokens that were sampled, timestamps included. */
      readonly tokens: number
    }

export async function loadWhisper(context: ModelContext): Promise<Model<TranscribeRequest, TranscribeEvent>> {
  const whisper = await openWhisper(context)
  const { config, special } = whisper
  return {
    parallel: 1,
    facts: {
      sampleRate: SAMPLE_RATE,
      languages: [...special.languages.keys()],
      contextLength: config.targetPositions,
    },
    run: (request, signal) => transcribe(whisper, request, signal),
    dispose: async () => {
      for (const session of [whisper.mel, whisper.encoder, whisper.decoder]) await session.dispose()
    },
  }
}

/** The engine's parts, as the verb uses them. */
export async function openWhisper({ folder, open }: ModelContext): Promise<Whisper> {
  const config = readConfig(folder)
  const tokenizer = loadTokenizer(folder)
  const special = specialTokens(tokenizer, config.vocabulary)
  return {
    config,
    tokenizer,
    special,
    windows: new WindowDecoder(tokenizer, special),
    mel: await open('mel'),
    encoder: await open('encoder'),
    decoder: await open('decoder'),
  }
}

async function* transcribe(
  whisper: Whisper,
  request: TranscribeRequest,
  signal: AbortSignal,
): AsyncGenerator<TranscribeEvent> {
  const { audio, prompt, temperature = 0 } = request
  const { special, tokenizer } = whisper
  const given = request.language === undefined ? undefined : checkLanguage(request.language, special)
  const options = {
    audio,
    language: given,
    prompt,
    temperatures: temperature > 0 ? [temperature] : undefined,
  }
  // A recording without a single frame has no language: the model's first one stands for it.
  let language = given ?? special.languages.keys().next().value!
  const spoken: number[] = []
  let tokens = 0
  for await (const window of transcribeWindows(whisper, options, signal)) {
    language = window.language
    tokens += window.result.tokens.length
    for (const segment of window.segments) {
      spoken.push(...segment.tokens)
      yield { kind: 'segment', segment }
    }
  }
  const text = textOf(spoken, tokenizer, special).trim()
  yield { kind: 'end', text, language, seconds: audio.length / SAMPLE_RATE, tokens }
}
