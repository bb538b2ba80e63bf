/** Recordings of any length: windows of 30 s, each begun where the timestamps of the one before say. */
import { seededRandom } from '../../decoding/rng.js'
import type { Session } from '../../runtime/session.js'
import type { Tokenizer } from '../../text/tokenizer.js'
import type { WhisperConfig } from './config.js'
import { likeliestLanguage } from './language.js'
import { Recording } from './mel.js'
import { cutWindow, type Piece } from './segments.js'
import { Sequence } from './sequence.js'
import { type SpecialTokens, startSequence } from './tokens.js'
import {
  LEAST_LOGPROB,
  NO_SPEECH,
  TEMPERATURES,
  textOf,
  type WindowDecoder,
  type WindowText,
} from './window.js'

/** A loaded engine. */
export interface Whisper {
  readonly config: WhisperConfig
  readonly tokenizer: Tokenizer
  readonly special: SpecialTokens
  readonly windows: WindowDecoder
  readonly mel: Session
  readonly encoder: Session
  readonly decoder: Session
}

export interface LongformOptions {
  /** 16 kHz, mono. */
  readonly audio: Float32Array
  /** A code that the model knows; detected in the first window if absent. */
  readonly language?: string | undefined
  /** Text that the recording is taken to continue: names, spellings, style. */
  readonly prompt?: string | undefined
  /** Temperatures to try. */
  readonly temperatures?: readonly number[] | undefined
  /** Whether a window sees the text of those before it; on by default. */
  readonly conditionOnPrevious?: boolean | undefined
}

/** What openai/whisper calls a segment; times in seconds from the recording's begin. */
export interface Segment {
  readonly id: number
  /** The frame of 10 ms at which the segment's window begins. */
  readonly seek: number
  readonly start: number
  readonly end: number
  readonly text: string
  readonly tokens: readonly number[]
  readonly temperature: number
  readonly avgLogprob: number
  readonly compressionRatio: number
  readonly noSpeechProb: number
}

export interface TranscribedWindow {
  readonly language: string
  readonly seek: number
  readonly result: WindowText
  /** Empty for a window that is taken for silence. */
  readonly segments: readonly Segment[]
}

/** The only sequence: requests, windows and attempts follow one another. */
const SLOT = 0
/** Frames are 10 ms. */
const FRAMES_PER_SECOND = 100
/** A window decoded with more chance than this is no context for the next. */
const MOST_CONTEXT_TEMPERATURE = 0.5

/** openai/whisper, transcribe.py, the sequential algorithm without word timestamps. */
export async function* transcribeWindows(
  whisper: Whisper,
  options: LongformOptions,
  signal: AbortSignal,
): AsyncGenerator<TranscribedWindow> {
  const { config, special, tokenizer } = whisper
  const { prompt = '', temperatures = TEMPERATURES, conditionOnPrevious = true } = options
  const recording = await Recording.open(whisper.mel, config, options.audio, signal)
  const random = seededRandom(0)
  let language = options.language
  const context = prompt.trim() === '' ? [] : tokenizer.encode(` ${prompt.trim()}`)
  // Special tokens written in the prompt would command the decoder.
  let previous = context.filter((token) => token < special.endOfText)
  let segments = 0
  for (let seek = 0; seek < recording.frames; ) {
    signal.throwIfAborted()
    const { feeds, frames } = await recording.window(seek)
    if (!feeds) {
      seek += frames
      continue
    }
    await whisper.encoder.run(feeds, [{ slot: SLOT, past: 0 }])
    const sequence = new Sequence(whisper.decoder, SLOT)
    try {
      language ??= await likeliestLanguage(sequence, special)
      const start = startSequence(special, language)
      const positions = config.targetPositions
      const result = await whisper.windows.decode(sequence, {
        previous,
        start,
        temperatures,
        positions,
        random,
        signal,
      })
      if (result.noSpeechProb > NO_SPEECH && result.avgLogprob <= LEAST_LOGPROB) {
        yield { language, seek, result, segments: [] }
        seek += frames
        continue
      }
      const { pieces, advance } = cutWindow(result.tokens, {
        seek,
        frames,
        firstTimestamp: special.firstTimestamp,
      })
      const found = segmentsOf(whisper, pieces, { seek, result, firstId: segments })
      yield { language, seek, result, segments: found }
      segments += found.length
      const keep = conditionOnPrevious && result.temperature <= MOST_CONTEXT_TEMPERATURE
      previous = keep ? [...previous, ...found.flatMap(({ tokens }) => tokens)] : []
      seek += advance
    } finally {
      sequence.release()
    }
  }
}

/** Segments of a window's pieces; those without duration or text are left out. */
function segmentsOf(
  { tokenizer, special }: Whisper,
  pieces: readonly Piece[],
  { seek, result, firstId }: { seek: number; result: WindowText; firstId: number },
): Segment[] {
  const { temperature, avgLogprob, compressionRatio, noSpeechProb } = result
  return pieces
    .map(({ startFrame, endFrame, tokens }) => ({
      start: startFrame / FRAMES_PER_SECOND,
      end: endFrame / FRAMES_PER_SECOND,
      text: textOf(tokens, tokenizer, special),
      tokens,
    }))
    .filter(({ start, end, text }) => start !== end && text.trim() !== '')
    .map((piece, i) => ({
      id: firstId + i,
      seek,
      ...piece,
      temperature,
      avgLogprob,
      compressionRatio,
      noSpeechProb,
    }))
}
