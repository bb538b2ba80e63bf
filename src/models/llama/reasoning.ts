/** Tells what a model thinks, `<think>` … `</think>` before its answer, from the answer. */
import type { TokenVocabulary } from '../../text/token-vocabulary.js'
import { type Piece, partOf } from './pieces.js'

export const thinkMarks = { open: '<think>', close: '</think>' } as const

/** Where a reply may be when it begins: in its answer for good, in its thoughts, or at either. */
export type Thoughts = 'none' | 'begun' | 'possible'

/**
 * The tokens that would both end the thoughts and begin the answer, by how many characters of the closing mark are
 * there before them: what the answer may begin with is not known to who chooses them.
 */
export function tokensAcross(
  tokenizer: Pick<TokenVocabulary, 'bytes' | 'vocabularySize'>,
): readonly number[][] {
  const { close } = thinkMarks
  const across: number[][] = Array.from(close, () => [])
  for (let token = 0; token < tokenizer.vocabularySize; token++) {
    const text = Buffer.from(tokenizer.bytes(token)).toString('latin1')
    if (!text.includes(close.at(-1)!)) continue
    for (const [length, tokens] of across.entries()) {
      const [, ...rest] = (close.slice(0, length) + text).split(close)
      if (rest.join('').trim() !== '') tokens.push(token)
    }
  }
  return across
}

export class ReasoningReader {
  #state: 'undecided' | 'thinking' | 'answer'
  /** Not told yet; whitespace at both ends of the thoughts and before the answer is left out. */
  #buffer = ''
  #pushed = 0
  #trim: boolean

  constructor(thoughts: Thoughts) {
    this.#state = thoughts === 'none' ? 'answer' : thoughts === 'begun' ? 'thinking' : 'undecided'
    this.#trim = thoughts === 'begun'
  }

  get state(): 'undecided' | 'thinking' | 'answer' {
    return this.#state
  }

  /** In thoughts: how many characters of their closing mark are there. */
  get closing(): number {
    return partOf(thinkMarks.close, this.#buffer)
  }

  push(text: string): Piece[] {
    this.#buffer += text
    this.#pushed += text.length
    const pieces: Piece[] = []
    for (let go = true; go; ) go = this.#read(pieces)
    return pieces
  }

  /** The reply is over. */
  end(): Piece[] {
    const kind = this.#state === 'thinking' ? 'reasoning' : 'text'
    const text = kind === 'reasoning' ? this.#buffer.trimEnd() : this.#buffer
    this.#buffer = ''
    return text === '' ? [] : [{ kind, text, end: this.#end }]
  }

  get #end(): number {
    return this.#pushed - this.#buffer.length
  }

  #take(length: number): string {
    const text = this.#buffer.slice(0, length)
    this.#buffer = this.#buffer.slice(length)
    return text
  }

  /** Reads on as far as the state goes; whether there may be more to read in the next one. */
  #read(pieces: Piece[]): boolean {
    if (this.#trim) {
      this.#buffer = this.#buffer.trimStart()
      if (this.#buffer === '') return false
      this.#trim = false
    }
    const { open, close } = thinkMarks
    if (this.#state === 'undecided') {
      const text = this.#buffer.trimStart()
      if (text.startsWith(open)) {
        this.#take(this.#buffer.length - text.length + open.length)
        pieces.push({ kind: 'syntax', end: this.#end })
        this.#trim = true
        this.#state = 'thinking'
        return true
      }
      if (open.startsWith(text)) return false
      this.#state = 'answer'
      return true
    }
    if (this.#state === 'thinking') {
      const at = this.#buffer.indexOf(close)
      const known = at < 0 ? this.#buffer.length - partOf(close, this.#buffer) : at
      const text = this.#buffer.slice(0, known).trimEnd()
      if (text !== '') {
        this.#take(text.length)
        pieces.push({ kind: 'reasoning', text, end: this.#end })
      }
      if (at < 0) return false
      this.#take(known - text.length + close.length)
      pieces.push({ kind: 'syntax', end: this.#end })
      this.#trim = true
      this.#state = 'answer'
      return true
    }
    if (this.#buffer === '') return false
    pieces.push({ kind: 'text', text: this.#take(this.#buffer.length), end: this.#pushed })
    return false
  }
}
