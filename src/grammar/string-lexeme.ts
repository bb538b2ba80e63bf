/**
 * JSON strings (RFC 8259 §7): an automaton over characters, read from the bytes that write them. Every character may
 * be written as it is or by any of its escapes; surrogates come only in pairs, bytes only in well-formed UTF-8.
 */
import type { Pool } from './pool.js'
import { type Callee, State } from './state.js'
import { canMove, moveOn, type TextState, textId } from './text-automaton.js'

const quote = 0x22
const backslash = 0x5c

/** The strings whose text an automaton takes, quotes included. @param writable which bytes a token can be. */
export function stringLexeme(text: TextState, writable: readonly boolean[], pool: Pool): Callee {
  const lexeme = new Lexeme(writable, pool)
  return {
    level: 0,
    get start() {
      return lexeme.state('start', () => new Start(lexeme, text))
    },
  }
}

class Lexeme {
  private readonly id = textId()

  constructor(
    readonly writable: readonly boolean[],
    private readonly pool: Pool,
  ) {}

  state<S extends State>(name: string, make: () => S): S {
    return this.pool.get(`j${this.id}${name}`, make)
  }

  body(text: TextState): State {
    return this.state(`b${text.id}`, () => new Body(this, text))
  }

  /** The body after a character; null where it can not come. */
  after(text: TextState, code: number): State | null {
    const to = moveOn(text, code)
    return to ? this.body(to) : null
  }
}

abstract class Inner extends State {
  readonly accepts: boolean = false
  readonly reads: boolean = true

  constructor(
    protected readonly lexeme: Lexeme,
    protected readonly text: TextState,
  ) {
    super()
  }
}

class Start extends Inner {
  read(byte: number): State | null {
    return byte === quote ? this.lexeme.body(this.text) : null
  }
}

class End extends Inner {
  override readonly accepts = true
  override readonly reads = false
  read(): State | null {
    return null
  }
}

class Body extends Inner {
  override readonly open = this.text.open

  read(byte: number): State | null {
    const { lexeme, text } = this
    if (byte === quote) return text.accepts ? lexeme.state('end', () => new End(lexeme, text)) : null
    if (byte === backslash) {
      if (text.moves.length === 0) return null
      return lexeme.state(`e${text.id}`, () => new Escape(lexeme, text))
    }
    if (byte < 0x20) return null
    if (byte < 0x80) return lexeme.after(text, byte)
    const lead = leads.find(({ from, to }) => from <= byte && byte <= to)
    if (!lead || !lexeme.writable[byte]) return null
    const { from, first, more } = lead
    const low = first + ((byte - from) << (6 * more))
    return rest(lexeme, text, { low, high: low + (1 << (6 * more)) - 1, more, least: lead.least })
  }
}

/**
 * First bytes of UTF-8 (RFC 3629): the characters from `first` on, `more` bytes to follow. Below `least`, the form is
 * longer than need be.
 */
const leads = [
  { from: 0xc2, to: 0xdf, first: 0x80, more: 1, least: 0x80 },
  { from: 0xe0, to: 0xef, first: 0, more: 2, least: 0x800 },
  { from: 0xf0, to: 0xf4, first: 0, more: 3, least: 0x10000 },
]

interface Rest {
  /** The characters that the bytes so far can begin. */
  readonly low: number
  readonly high: number
  /** Bytes to follow. */
  readonly more: number
  readonly least: number
}

/** The state within a character; null if none of those that can come begins so. */
function rest(lexeme: Lexeme, text: TextState, of: Rest): State | null {
  const low = Math.max(of.low, of.least)
  if (!canMove(text, low, of.high)) return null
  return lexeme.state(`u${text.id},${of.low},${of.more}`, () => new WithinUtf8(lexeme, text, of))
}

class WithinUtf8 extends Inner {
  constructor(
    lexeme: Lexeme,
    text: TextState,
    private readonly of: Rest,
  ) {
    super(lexeme, text)
  }

  read(byte: number): State | null {
    const { lexeme, text } = this
    if (byte < 0x80 || byte > 0xbf || !lexeme.writable[byte]) return null
    const more = this.of.more - 1
    const low = this.of.low + ((byte - 0x80) << (6 * more))
    if (more > 0) return rest(lexeme, text, { ...this.of, low, high: low + (1 << (6 * more)) - 1, more })
    return low < this.of.least ? null : lexeme.after(text, low)
  }
}

const shortEscapes: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, character]) => [letter.charCodeAt(0), character.charCodeAt(0)],
  ),
)

/** Behind a backslash. */
class Escape extends Inner {
  read(byte: number): State | null {
    const code = shortEscapes.get(byte)
    if (code !== undefined) return this.lexeme.after(this.text, code)
    return byte === 0x75 ? hex(this.lexeme, this.text, { digits: 0, value: 0 }) : null
  }
}

interface Hex {
  /** How many of the four digits are there, and their value. */
  readonly digits: number
  readonly value: number
  /** The first half of the pair whose second is being written. */
  readonly lead?: number
}

const pairBase = (lead: number) => 0x10000 + (lead - 0xd800) * 0x400

/** The state within `\uXXXX`; null if no character that can come is written so. */
function hex(lexeme: Lexeme, text: TextState, at: Hex): State | null {
  const { digits, value, lead } = at
  const left = 4 * (4 - digits)
  const low = value << left
  const high = low + (1 << left) - 1
  if (lead === undefined) {
    const [first, last] = [Math.max(low, 0xd800), Math.min(high, 0xdbff)]
    const paired = first <= last && canMove(text, pairBase(first), pairBase(last) + 0x3ff)
    if (!paired && !canMove(text, low, high)) return null
    if (digits === 4) {
      if (!paired) return lexeme.after(text, value)
      return lexeme.state(`p${text.id},${value}`, () => new Paired(lexeme, text, value, backslash))
    }
  } else {
    const [first, last] = [Math.max(low, 0xdc00), Math.min(high, 0xdfff)]
    const base = pairBase(lead) - 0xdc00
    if (first > last || !canMove(text, base + first, base + last)) return null
    if (digits === 4) return lexeme.after(text, base + value)
  }
  return lexeme.state(`h${text.id},${digits},${value},${lead}`, () => new WithinHex(lexeme, text, at))
}

class WithinHex extends Inner {
  constructor(
    lexeme: Lexeme,
    text: TextState,
    private readonly of: Hex,
  ) {
    super(lexeme, text)
  }

  read(byte: number): State | null {
    const digit = Number.parseInt(String.fromCharCode(byte), 16)
    if (Number.isNaN(digit)) return null
    const { digits, value } = this.of
    return hex(this.lexeme, this.text, { ...this.of, digits: digits + 1, value: value * 16 + digit })
  }
}

/** Behind the first half of a surrogate pair: the `\u` of the second. */
class Paired extends Inner {
  constructor(
    lexeme: Lexeme,
    text: TextState,
    private readonly lead: number,
    private readonly expects: number,
  ) {
    super(lexeme, text)
  }

  read(byte: number): State | null {
    const { lexeme, text, lead } = this
    if (byte !== this.expects) return null
    if (byte !== backslash) return hex(lexeme, text, { digits: 0, value: 0, lead })
    return lexeme.state(`q${text.id},${lead}`, () => new Paired(lexeme, text, lead, 0x75))
  }
}
