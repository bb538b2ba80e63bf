/** Finds the function calls in a reply as it is written. */
import type { CallConvention } from '../../grammar/shape.js'
import { isObject } from '../../text/json-file.js'
import { type Piece, partOf } from './pieces.js'
import { callMarks } from './tools.js'

/**
 * Text before and after calls is text; what may be the beginning of a call is held back until it is known, with the
 * white space before it, and is text if it turns out to be none.
 */
export class CallReader {
  readonly #convention: CallConvention
  readonly #header: RegExp
  readonly #beginning: RegExp
  #state: 'start' | 'text' | 'open' | 'arguments' | 'rest' | 'closing' = 'start'
  /** Characters of the reply that are not told yet. */
  #buffer = ''
  /** How many of the buffer belong to a mark before the call's object. */
  #mark = 0
  #end = 0
  #object = new Nesting()
  /** Whether white space is left out: between calls, and between the last one and what follows it. */
  #trim = false

  constructor(convention: CallConvention) {
    this.#convention = convention
    const key = convention.argumentsKey
    this.#header = new RegExp(
      `^\\{\\s*"name"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")\\s*,\\s*"${key}"\\s*:\\s*(?=\\{)`,
      's',
    )
    this.#beginning = new RegExp(
      `^\\{\\s*($|"($|${[...['name', key, 'id', 'type'].map(prefixes)].join('|')}))`,
    )
  }

  /** Whether what comes next belongs to a call. */
  get inCall(): boolean {
    return this.#state === 'arguments' || this.#state === 'rest' || this.#state === 'closing'
  }

  /** @param end how many characters of the reply lie before the end of the text */
  push(text: string, end: number): Piece[] {
    this.#buffer += text
    this.#end = end
    const pieces: Piece[] = []
    for (let go = true; go; ) go = this.#read(pieces)
    return pieces
  }

  /** The reply is over. @param cut by its limit: a call that has not got to its arguments is neither call nor text */
  end(cut: boolean): Piece[] {
    const pieces: Piece[] = []
    if (this.#state === 'open' && this.#mark > 0 && cut) {
      this.#take(this.#buffer.length)
      this.#told(pieces, { kind: 'syntax' })
    }
    if (!this.inCall) this.#text(pieces, this.#buffer.length)
    return pieces
  }

  /** Reads on as far as the state goes; whether there may be more to read in the next one. */
  #read(pieces: Piece[]): boolean {
    if (this.#trim) this.#take(this.#buffer.length - this.#buffer.trimStart().length)
    if (this.#buffer === '') return false
    switch (this.#state) {
      case 'start':
        return this.#convention.name === 'llama3' ? this.#bare() : this.#go('text')
      case 'text':
        return this.#find(pieces)
      case 'open':
        return this.#open(pieces)
      case 'arguments':
        return this.#arguments(pieces)
      case 'rest':
        return this.#rest(pieces)
      case 'closing':
        return this.#close(pieces)
    }
  }

  #go(state: 'start' | 'text' | 'open' | 'arguments' | 'rest' | 'closing'): true {
    this.#state = state
    return true
  }

  #take(length: number): string {
    const text = this.#buffer.slice(0, length)
    this.#buffer = this.#buffer.slice(length)
    return text
  }

  #told(pieces: Piece[], piece: { kind: 'call'; name: string } | { kind: 'syntax' }): void {
    pieces.push({ ...piece, end: this.#end - this.#buffer.length })
  }

  #text(pieces: Piece[], length: number): void {
    if (length === 0) return
    this.#trim = false
    const text = this.#take(length)
    pieces.push({ kind: 'text', text, end: this.#end - this.#buffer.length })
  }

  /** Where nothing marks a call: the reply begins with an object, or else has no calls. */
  #bare(): boolean {
    const text = this.#buffer.trimStart()
    const [tag] = callMarks.llama3
    if (text === '' || (text !== tag && tag!.startsWith(text))) return false
    const space = this.#buffer.length - text.length
    if (text.startsWith('{')) return this.#opened(space)
    return text.startsWith(tag!) ? this.#opened(space + tag!.length) : this.#go('text')
  }

  #opened(mark: number): true {
    this.#mark = mark
    this.#trim = false
    return this.#go('open')
  }

  #find(pieces: Piece[]): boolean {
    if (this.#convention.name === 'llama3') {
      this.#text(pieces, this.#buffer.length)
      return false
    }
    const [begin] = callMarks[this.#convention.name]
    const at = this.#buffer.indexOf(begin!)
    const known = at < 0 ? this.#buffer.length - partOf(begin!, this.#buffer) : at
    this.#text(pieces, this.#buffer.slice(0, known).trimEnd().length)
    if (at < 0) return false
    return this.#opened(this.#buffer.indexOf(begin!) + begin!.length)
  }

  /** Behind the mark: a call's object, the beginning of one, or text after all. */
  #open(pieces: Piece[]): boolean {
    const list = this.#convention.name === 'mistral' ? /^\s*\[?\s*/ : /^\s*/
    const start = this.#mark + list.exec(this.#buffer.slice(this.#mark))![0].length
    const object = this.#buffer.slice(start)
    if (object === '') return false
    const header = this.#header.exec(object)
    if (header) {
      const name: unknown = parsed(header[1]!)
      if (typeof name !== 'string') return this.#noCall(pieces)
      this.#object = new Nesting()
      this.#object.endOf(this.#take(start + header[0].length).slice(start), 0)
      this.#told(pieces, { kind: 'call', name })
      return this.#go('arguments')
    }
    if (!this.#beginning.test(object)) return this.#noCall(pieces)
    const end = new Nesting().endOf(object, 0)
    if (end === undefined) return false
    const call = parsed(object.slice(0, end))
    const given = isObject(call) ? call[this.#convention.argumentsKey] : undefined
    if (!isObject(call) || typeof call.name !== 'string' || !isObject(given)) return this.#noCall(pieces)
    this.#take(start + end)
    this.#told(pieces, { kind: 'call', name: call.name })
    const text = JSON.stringify(given)
    pieces.push({ kind: 'arguments', text, end: this.#end - this.#buffer.length })
    return this.#closing()
  }

  #noCall(pieces: Piece[]): boolean {
    this.#text(pieces, Math.max(1, this.#mark))
    return this.#go('text')
  }

  #arguments(pieces: Piece[]): boolean {
    const end = this.#object.endOf(this.#buffer, 1)
    const text = this.#take(end ?? this.#buffer.length)
    pieces.push({ kind: 'arguments', text, end: this.#end - this.#buffer.length })
    return end === undefined ? false : this.#go('rest')
  }

  /** What the object may have behind its arguments. */
  #rest(pieces: Piece[]): boolean {
    const end = this.#object.endOf(this.#buffer, 0)
    this.#take(end ?? this.#buffer.length)
    this.#told(pieces, { kind: 'syntax' })
    return end === undefined ? false : this.#closing()
  }

  #closing(): true {
    this.#trim = true
    return this.#go('closing')
  }

  /** Behind the object: its end mark, another one, or text. */
  #close(pieces: Piece[]): boolean {
    const { name } = this.#convention
    const mark = name === 'hermes' ? callMarks.hermes[1]! : name === 'mistral' ? /^[\],]/ : /^;/
    if (typeof mark === 'string' && mark !== this.#buffer && mark.startsWith(this.#buffer)) return false
    const [found] =
      typeof mark === 'string'
        ? this.#buffer.startsWith(mark)
          ? [mark]
          : ['']
        : (mark.exec(this.#buffer) ?? [''])
    this.#take(found.length)
    this.#told(pieces, { kind: 'syntax' })
    if (found === ',') return this.#opened(0)
    if (name === 'llama3' && (found === ';' || this.#buffer.startsWith('{'))) return this.#go('start')
    return this.#go('text')
  }
}

/** A regular expression for every beginning of a word, the word with its closing quote included. */
const prefixes = (word: string): string =>
  [...`${word}"`].reduceRight((rest, letter) => `${letter}($|${rest})`, '')

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined // as the model wrote it, it is no JSON
  }
}

/** How deep in objects and lists a JSON text is, as it comes. */
class Nesting {
  #depth = 0
  #inString = false
  #escaped = false

  /** Where in the next piece of text the nesting comes down to this depth; undefined: not in this piece. */
  endOf(text: string, depth: number): number | undefined {
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!
      if (this.#escaped) this.#escaped = false
      else if (this.#inString) {
        if (character === '\\') this.#escaped = true
        else if (character === '"') this.#inString = false
      } else if (character === '"') this.#inString = true
      else if (character === '{' || character === '[') this.#depth++
      else if ((character === '}' || character === ']') && --this.#depth <= depth) return i + 1
    }
    return undefined
  }
}
