/** One reply: chooses its tokens and tells what they are: text, thoughts, function calls. */
import { randomBytes } from 'node:crypto'
import { StopStrings } from '../../decoding/stop.js'
import type { CallConvention } from '../../grammar/shape.js'
import { TokenStream } from '../../text/token-stream.js'
import type { TokenVocabulary } from '../../text/token-vocabulary.js'
import { CallReader } from './calls.js'
import type { TokenChooser } from './chooser.js'
import type { Constraint } from './constraint.js'
import { PendingLogprobs, tokenLogprob } from './logprobs.js'
import type { Piece } from './pieces.js'
import { ReasoningReader, type Thoughts, thinkMarks } from './reasoning.js'
import type { GenerateEvent } from './request.js'
import { callMarks } from './tools.js'
import type { Choice, Reply, Scores } from './work.js'

export interface ReplyOptions {
  /** Which of the request's replies, from 0. */
  readonly index: number
  readonly chooser: TokenChooser
  readonly tokenizer: TokenVocabulary
  /** Constrains the answer; of what is thought before it only whether it may be all. */
  readonly constraint?: Constraint | undefined
  readonly stopTokens: ReadonlySet<number>
  /** Texts that end the answer and are no part of it; calls and thoughts may have them. */
  readonly stop: readonly string[]
  readonly maxTokens: number
  readonly thoughts: Thoughts
  /** Of its vocabulary, where it may think: as {@link tokensAcross} has them. */
  readonly across: readonly (readonly number[])[]
  /** How it calls functions; undefined: it can not. */
  readonly calls?: CallConvention | undefined
  emit(event: GenerateEvent): void
}

export class ReplyWriter implements Reply {
  readonly needsRow: boolean
  readonly #options: ReplyOptions
  readonly #characters: TokenStream
  readonly #reasoning: ReasoningReader
  readonly #callReader: CallReader | undefined
  readonly #stops: StopStrings
  readonly #logprobs = new PendingLogprobs()
  readonly #think: number | undefined
  /** See {@link ReplyWriter.#noAnswer}; found once. */
  #tooEarly: readonly number[] | undefined
  #tokens = 0
  #reasoningTokens = 0
  #calls = 0
  #ended = false
  /** Where in the reply the text that was read last ends. */
  #textEnd = 0

  constructor(options: ReplyOptions) {
    const { chooser, constraint, thoughts, calls, tokenizer } = options
    this.#options = options
    this.needsRow = chooser.needsRow || constraint !== undefined
    this.#reasoning = new ReasoningReader(thoughts)
    this.#callReader = calls && new CallReader(calls)
    this.#stops = new StopStrings(options.stop)
    const marks = [
      ...(thoughts === 'none' ? [] : [thinkMarks.open, thinkMarks.close]),
      ...(calls ? callMarks[calls.name] : []),
    ]
    const meant = new Set(marks.flatMap((text) => tokenizer.id(text) ?? []))
    // Special tokens are no text, but for those that mean something here.
    const bytes = (id: number) => tokenizer.bytes(id, { keepSpecial: meant.has(id) })
    this.#characters = new TokenStream({ ...tokenizer, bytes })
    this.#think = tokenizer.id(thinkMarks.open)
  }

  next(scores: Scores): Choice {
    const { chooser, constraint, stopTokens, maxTokens } = this.#options
    if (this.#ended || maxTokens === 0) return this.#finish('length')
    const state = this.#reasoning.state
    const chosen = chooser.choose(scores, constraint && ((logits) => this.#mask(constraint, logits)))
    if (!chosen) return { kind: 'row' }
    const { token, told } = chosen
    if (stopTokens.has(token)) return this.#finish('stop')
    const isThought = state === 'thinking' || (state === 'undecided' && token === this.#think)
    if (!isThought) constraint?.accept(token)
    this.#tokens++
    const { tokenizer } = this.#options
    const text = this.#characters.push(token)
    if (told) this.#logprobs.push(tokenLogprob(told, tokenizer), text.length)
    const stopped = this.#read(this.#reasoning.push(text))
    if (state === 'thinking' || this.#reasoning.state === 'thinking') this.#reasoningTokens++
    if (stopped) return this.#finish('stop')
    return this.#tokens === maxTokens ? this.#finish('length') : { kind: 'token', token }
  }

  /**
   * Where a reply may think before it answers, it may begin to. What it thinks is free, but no end of it where the answer
   * has to be something, and no token that ends in the answer.
   */
  #mask(constraint: Constraint, logits: Float32Array): void {
    const { state } = this.#reasoning
    if (state === 'thinking') {
      this.#tooEarly ??= this.#noAnswer(constraint, logits.length)
      for (const stop of this.#tooEarly) logits[stop] = -Infinity
      for (const token of this.#options.across[this.#reasoning.closing]!) logits[token] = -Infinity
      return
    }
    const think = state === 'undecided' ? this.#think : undefined
    const logit = think === undefined ? 0 : logits[think]!
    constraint.mask(logits)
    if (think !== undefined) logits[think] = logit
  }

  /** The stop tokens that leave an answer out where there has to be one. While it is thought, that stays as it is. */
  #noAnswer(constraint: Constraint, vocabulary: number): readonly number[] {
    const row = new Float32Array(vocabulary)
    constraint.mask(row)
    return [...this.#options.stopTokens].filter((stop) => row[stop] === -Infinity)
  }

  /** Whether a stop string has ended the reply. */
  #read(pieces: readonly Piece[]): boolean {
    for (const piece of pieces) {
      if (piece.kind !== 'text') this.#tell(piece)
      else if (!this.#callReader) {
        if (this.#text(piece.text, piece.end)) return true
      } else if (this.#tellAll(this.#callReader.push(piece.text, piece.end))) return true
    }
    return false
  }

  #tellAll(pieces: readonly Piece[]): boolean {
    for (const piece of pieces)
      if (piece.kind !== 'text') this.#tell(piece)
      else if (this.#text(piece.text, piece.end)) return true
    return false
  }

  /** Text of the answer; whether a stop string has ended it. */
  #text(text: string, end: number): boolean {
    this.#textEnd = end
    const start = end - text.length - this.#stops.held
    const shown = this.#stops.push(text)
    const told = start + shown.text.length
    this.#emitText(shown.text, shown.stopped ? this.#logprobs.before(told) : this.#logprobs.upTo(told))
    return shown.stopped
  }

  #emitText(text: string, logprobs: ReturnType<PendingLogprobs['rest']>): void {
    if (text === '' && logprobs.length === 0) return
    const { index: choice, emit } = this.#options
    emit({ kind: 'text', choice, text, ...(logprobs.length > 0 ? { logprobs } : {}) })
  }

  /** Anything but text of the answer: a stop string can not go on behind it, nor has it logprobs. */
  #tell(piece: Exclude<Piece, { kind: 'text' }>): void {
    if (this.#stops.held > 0) this.#emitText(this.#stops.end(), this.#logprobs.upTo(this.#textEnd))
    this.#logprobs.before(piece.end)
    const { index: choice, emit } = this.#options
    switch (piece.kind) {
      case 'reasoning':
        emit({ kind: 'reasoning', choice, text: piece.text })
        break
      case 'call':
        emit({ kind: 'call', choice, call: this.#calls++, id: callId(), name: piece.name })
        break
      case 'arguments':
        emit({ kind: 'arguments', choice, call: this.#calls - 1, text: piece.text })
    }
  }

  #finish(reason: 'stop' | 'length'): Choice {
    if (this.#ended) return { kind: 'end' }
    this.#ended = true
    // Bytes of a character that the end cut in two are no text.
    if (!this.#stops.stopped)
      this.#read(this.#reasoning.end()) ||
        this.#tellAll(this.#callReader?.end(reason === 'length') ?? []) ||
        this.#tellRest()
    const { index: choice, emit } = this.#options
    emit({
      kind: 'end',
      choice,
      reason: this.#stops.stopped ? 'stop' : this.#calls > 0 && reason === 'stop' ? 'calls' : reason,
      completionTokens: this.#tokens,
      reasoningTokens: this.#reasoningTokens,
    })
    return { kind: 'end' }
  }

  #tellRest(): void {
    const isText = this.#reasoning.state !== 'thinking' && !this.#callReader?.inCall
    const logprobs = this.#logprobs.rest()
    this.#emitText(this.#stops.end(), isText ? logprobs : [])
  }
}

/** As OpenAI's are: `call_` and 24 letters and digits. */
function callId(): string {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  // 62 of 64: the others are drawn again.
  let id = ''
  while (id.length < 24)
    for (const byte of randomBytes(32)) if ((byte & 63) < 62 && id.length < 24) id += characters[byte & 63]
  return `call_${id}`
}
