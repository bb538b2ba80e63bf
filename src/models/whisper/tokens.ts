/** Whisper's special tokens, found by name in the checkpoint's tokenizer: their ids differ between its vocabularies. */
import { SetupError } from '../../errors.js'
import type { Tokenizer } from '../../text/tokenizer.js'

export interface SpecialTokens {
  readonly endOfText: number
  readonly startOfTranscript: number
  readonly transcribe: number
  readonly startOfPrevious: number
  readonly noSpeech: number
  readonly noTimestamps: number
  /** `<|0.00|>`; the 1500 ids after it are steps of 0.02 s up to `<|30.00|>`. */
  readonly firstTimestamp: number
  /** Ids by language code; only `en` and without an id of its own in models that know no other. */
  readonly languages: ReadonlyMap<string, number>
  readonly multilingual: boolean
  /** Never sampled: marks that nobody speaks, and special tokens. */
  readonly suppressed: readonly number[]
  /** Not sampled first: a lone space, and the end. */
  readonly suppressedAtStart: readonly number[]
}

/** Multilingual vocabularies have this many tokens or more: those of English models lack one. */
const MULTILINGUAL_VOCABULARY = 51865

/** @throws SetupError when the tokenizer lacks one of Whisper's tokens. */
export function specialTokens(tokenizer: Tokenizer, vocabulary: number): SpecialTokens {
  const id = (...names: string[]): number => {
    const found = names.map((name) => tokenizer.id(name)).find((id) => id !== undefined)
    if (found === undefined)
      throw new SetupError(`The tokenizer has no token ${names[0]}: it is not one of Whisper's.`)
    return found
  }
  const startOfTranscript = id('<|startoftranscript|>')
  const translate = id('<|translate|>')
  const transcribe = id('<|transcribe|>')
  const startOfPrevious = id('<|startofprev|>')
  // OpenAI's name first; Hugging Face's copies have the other.
  const noSpeech = id('<|nospeech|>', '<|nocaptions|>')
  const noTimestamps = id('<|notimestamps|>')
  const endOfText = id('<|endoftext|>')
  const control = [translate, transcribe, startOfTranscript, startOfPrevious, id('<|startoflm|>'), noSpeech]
  const multilingual = vocabulary >= MULTILINGUAL_VOCABULARY
  return {
    endOfText,
    startOfTranscript,
    transcribe,
    startOfPrevious,
    noSpeech,
    noTimestamps,
    firstTimestamp: noTimestamps + 1,
    languages: multilingual
      ? languagesBetween(tokenizer, startOfTranscript, translate)
      : new Map([['en', startOfTranscript]]),
    multilingual,
    suppressed: [...nonSpeech(tokenizer), ...control],
    suppressedAtStart: [...tokenizer.encode(' '), endOfText],
  }
}

/** The tokens that begin a transcript: `<|startoftranscript|>`, and in multilingual models language and task. */
export function startSequence(tokens: SpecialTokens, language: string): number[] {
  if (!tokens.multilingual) return [tokens.startOfTranscript]
  return [tokens.startOfTranscript, tokens.languages.get(language)!, tokens.transcribe]
}

/** The language tokens stand between the start of transcript and the tasks. */
function languagesBetween(tokenizer: Tokenizer, from: number, to: number): Map<string, number> {
  const languages = new Map<string, number>()
  for (let id = from + 1; id < to; id++) {
    const name = Buffer.from(tokenizer.bytes(id, { keepSpecial: true })).toString()
    const code = /^<\|(\w+)\|>$/.exec(name)?.[1]
    if (code === undefined)
      throw new SetupError(`The tokenizer has ${name} where a language is expected: it is not Whisper's.`)
    languages.set(code, id)
  }
  return languages
}

/**
 * Tokens of annotation rather than speech, as openai/whisper's `Tokenizer.non_speech_tokens` finds them. They are the
 * `suppress_tokens` of the smaller models' generation_config.json; the large ones' leave that list empty.
 */
function nonSpeech(tokenizer: Tokenizer): Set<number> {
  const brackets = '<< >> <<< >>> -- --- -( -[ (\' (" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪'.split(' ')
  const music = [...'♩♪♫♬♭♮♯']
  const found = new Set([tokenizer.encode(' -')[0]!, tokenizer.encode(" '")[0]!])
  for (const symbol of [...'"#()*+/:;<=>@[\\]^_`{|}~「」『』', ...brackets, ...music])
    for (const ids of [tokenizer.encode(symbol), tokenizer.encode(` ${symbol}`)])
      if (ids.length === 1 || music.includes(symbol)) found.add(ids[0]!)
  return found
}
