/** How likely the tokens of a reply were, in OpenAI's terms, in step with the text that is told. */
import type { TokenVocabulary } from '../../text/token-vocabulary.js'
import type { Chosen, Likelihood } from './chooser.js'
import type { TokenLogprob } from './request.js'

/** OpenAI's least, for what can not come: JSON has no infinity. */
const IMPOSSIBLE = -9999

/** A chosen token as clients are told of it. */
export function tokenLogprob({ top, ...chosen }: Chosen, tokenizer: TokenVocabulary): TokenLogprob {
  const told = ({ token, logprob }: Likelihood) => {
    const bytes = tokenizer.bytes(token, { keepSpecial: true })
    return {
      token: tokenText(bytes),
      bytes: [...bytes],
      logprob: Math.max(logprob, IMPOSSIBLE),
    }
  }
  return { ...told(chosen), top: top.map(told) }
}

/** The text of bytes; those that are no whole characters are written `\xNN`, as OpenAI does. */
export function tokenText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at)
    text += length > 0 ? Buffer.from(bytes.subarray(at, at + length)).toString('utf8') : written(bytes[at]!)
    at += Math.max(length, 1)
  }
  return text
}

const written = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes of the UTF-8 character that begins here; 0 if none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  try {
    strict.decode(bytes.subarray(at, at + length))
    return at + length <= bytes.length ? length : 0
  } catch {
    return 0 // the decoder's way of saying that it is none
  }
}

/** Tokens that wait until the text that they end in is told. */
export class PendingLogprobs {
  #waiting: { readonly logprob: TokenLogprob; readonly start: number; end: number | undefined }[] = []
  #position = 0

  /** One more token, which completed so many of the reply's characters: none, and it ends where the next one does. */
  push(logprob: TokenLogprob, characters: number): void {
    const start = this.#position
    this.#position += characters
    const end = characters === 0 ? undefined : this.#position
    if (end !== undefined) for (const token of this.#waiting) token.end ??= end
    this.#waiting.push({ logprob, start, end })
  }

  /** The tokens that end in the first `end` characters. */
  upTo(end: number): TokenLogprob[] {
    return this.#take((token) => token.end !== undefined && token.end <= end)
  }

  /** The tokens that begin in the first `end` characters. */
  before(end: number): TokenLogprob[] {
    return this.#take((token) => token.start < end)
  }

  /** All that wait. */
  rest(): TokenLogprob[] {
    return this.#take(() => true)
  }

  #take(wanted: (token: { start: number; end: number | undefined }) => boolean): TokenLogprob[] {
    const first = this.#waiting.findIndex((token) => !wanted(token))
    return this.#waiting.splice(0, first < 0 ? this.#waiting.length : first).map(({ logprob }) => logprob)
  }
}
