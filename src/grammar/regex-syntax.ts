/** Reads ECMAScript regular expressions (ECMA-262 §22.2.1, with the u flag) into a tree. */
import {
  type Characters,
  characters,
  classEscapes,
  dot,
  only,
  others,
  type Range,
  unicodeProperty,
} from './characters.js'
import type { Effort } from './text-automaton.js'

export type Regex =
  | { readonly kind: 'characters'; readonly set: Characters }
  | { readonly kind: 'sequence'; readonly items: readonly Regex[] }
  | { readonly kind: 'choice'; readonly items: readonly Regex[] }
  | { readonly kind: 'repeat'; readonly item: Regex; readonly least: number; readonly most: number }
  | { readonly kind: 'start' | 'end' }

/** A pattern that can not be followed; the message says what in it. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Groups within groups; the reader calls itself for each. */
const mostDepth = 50
const mostLength = 4096

/** PatternError for wrong syntax, and for what no finite automaton can do. */
export function readRegex(pattern: string, effort: Effort): Regex {
  if (pattern.length > mostLength) throw new PatternError(`is longer than ${mostLength} characters`)
  const reader = new Reader(pattern, effort)
  const regex = reader.choice(0)
  if (!reader.done) throw new PatternError(`has a ")" too many`)
  return regex
}

class Reader {
  private readonly text: readonly string[]
  private at = 0

  constructor(
    pattern: string,
    private readonly effort: Effort,
  ) {
    this.text = [...pattern]
  }

  get done(): boolean {
    return this.at === this.text.length
  }

  choice(depth: number): Regex {
    if (depth > mostDepth) throw new PatternError(`has groups nested deeper than ${mostDepth}`)
    const items = [this.sequence(depth)]
    while (this.took('|')) items.push(this.sequence(depth))
    return items.length === 1 ? items[0]! : { kind: 'choice', items }
  }

  private sequence(depth: number): Regex {
    const items: Regex[] = []
    while (!this.done && !this.sees('|') && !this.sees(')')) items.push(this.repeated(this.atom(depth)))
    return { kind: 'sequence', items }
  }

  private repeated(item: Regex): Regex {
    const bounds = this.quantifier()
    if (!bounds) return item
    if (item.kind === 'start' || item.kind === 'end') throw new PatternError('repeats an anchor')
    this.took('?') // which of several matches is preferred does not matter to whether there is one
    if (this.quantifier()) throw new PatternError('has a quantifier behind a quantifier')
    const [least, most] = bounds
    return { kind: 'repeat', item, least, most }
  }

  private quantifier(): readonly [number, number] | undefined {
    if (this.took('*')) return [0, Infinity]
    if (this.took('+')) return [1, Infinity]
    if (this.took('?')) return [0, 1]
    if (!this.sees('{')) return undefined
    const close = this.text.indexOf('}', this.at)
    const inner = close < 0 ? '' : this.text.slice(this.at + 1, close).join('')
    const match = /^(\d{1,9})(,(\d{1,9})?)?$/.exec(inner)
    if (!match) throw new PatternError('has a "{" that begins no quantifier (write \\{)')
    this.at = close + 1
    const least = Number(match[1])
    const most = match[2] === undefined ? least : match[3] === undefined ? Infinity : Number(match[3])
    if (most < least) throw new PatternError(`has a quantifier {${inner}} out of order`)
    return [least, most]
  }

  private atom(depth: number): Regex {
    const character = this.take()
    switch (character) {
      case '^':
        return { kind: 'start' }
      case '$':
        return { kind: 'end' }
      case '.':
        return { kind: 'characters', set: dot }
      case '(':
        return this.group(depth)
      case '[':
        return { kind: 'characters', set: this.set() }
      case '\\':
        return { kind: 'characters', set: this.escape(false) }
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternError(`has a quantifier "${character}" with nothing before it`)
      default: // "]" and "}" alone are no syntax errors in the wild
        return { kind: 'characters', set: only(character) }
    }
  }

  private group(depth: number): Regex {
    if (this.took('?')) {
      if (this.took('<')) {
        if (this.sees('=') || this.sees('!')) throw new PatternError('looks behind, which is not supported')
        const close = this.text.indexOf('>', this.at)
        if (close < 0) throw new PatternError('has a group name without an end')
        this.at = close + 1
      } else if (this.sees('=') || this.sees('!'))
        throw new PatternError('looks ahead, which is not supported')
      else if (!this.took(':')) throw new PatternError('has a group of an unknown kind')
    }
    const inner = this.choice(depth + 1)
    if (!this.took(')')) throw new PatternError('has a "(" without a ")"')
    return inner
  }

  private set(): Characters {
    const negated = this.took('^')
    const ranges: Range[] = []
    while (!this.took(']')) {
      if (this.done) throw new PatternError('has a "[" without a "]"')
      const low = this.member()
      if (this.sees('-') && this.text[this.at + 1] !== ']' && this.at + 1 < this.text.length) {
        this.at++
        const high = this.member()
        const [from, to] = [single(low), single(high)]
        if (from === undefined || to === undefined || from > to)
          throw new PatternError('has a range of characters that is none')
        ranges.push([from, to])
      } else ranges.push(...low)
    }
    return negated ? others(characters(ranges)) : characters(ranges)
  }

  private member(): Characters {
    return this.took('\\') ? this.escape(true) : only(this.take())
  }

  /** What follows a backslash. */
  private escape(inSet: boolean): Characters {
    const character = this.take()
    const known = classEscapes[character]
    if (known) return known
    const control = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' }[character]
    if (control !== undefined) return only(control)
    switch (character) {
      case 'b':
        if (inSet) return only('\b')
        throw new PatternError('has the word boundary \\b, which is not supported')
      case 'B':
        throw new PatternError('has the word boundary \\B, which is not supported')
      case 'x':
        return this.code(this.hex(2))
      case 'u':
        return this.unicode()
      case 'c':
        return this.code(this.take().codePointAt(0)! % 32)
      case 'p':
      case 'P':
        return this.property(character === 'P')
    }
    if (/[1-9k]/.test(character)) throw new PatternError('refers back to a group, which is not supported')
    if (/[A-Za-z0-9]/.test(character)) throw new PatternError(`has the unknown escape \\${character}`)
    return only(character)
  }

  private unicode(): Characters {
    if (!this.took('{')) {
      const code = this.hex(4)
      const isHigh = code >= 0xd800 && code <= 0xdbff
      if (!isHigh || !this.took('\\') || !this.took('u')) return this.code(code)
      return this.code(0x10000 + (code - 0xd800) * 0x400 + (this.hex(4) - 0xdc00))
    }
    const close = this.text.indexOf('}', this.at)
    const digits = close < 0 ? '' : this.text.slice(this.at, close).join('')
    if (!/^[0-9a-fA-F]{1,8}$/.test(digits)) throw new PatternError('has a \\u{ without a code point')
    this.at = close + 1
    return this.code(Number.parseInt(digits, 16))
  }

  private property(negated: boolean): Characters {
    const close = this.took('{') ? this.text.indexOf('}', this.at) : -1
    const name = close < 0 ? '' : this.text.slice(this.at, close).join('')
    const set = unicodeProperty(name, () => this.effort.spend(300_000))
    if (!set) throw new PatternError(`has the unknown property \\p{${name}}`)
    this.at = close + 1
    return negated ? others(set) : set
  }

  private hex(count: number): number {
    const digits = this.text.slice(this.at, this.at + count).join('')
    if (!new RegExp(`^[0-9a-fA-F]{${count}}$`).test(digits))
      throw new PatternError(`has an escape without its ${count} hexadecimal digits`)
    this.at += count
    return Number.parseInt(digits, 16)
  }

  private code(code: number): Characters {
    const set = characters([[code, code]])
    if (set.length === 0 || code > 0x10ffff) throw new PatternError('has an escape that is no character')
    return set
  }

  private sees(character: string): boolean {
    return this.text[this.at] === character
  }

  private took(character: string): boolean {
    if (!this.sees(character)) return false
    this.at++
    return true
  }

  private take(): string {
    const character = this.text[this.at++]
    if (character === undefined) throw new PatternError('ends too early')
    return character
  }
}

function single(set: Characters): number | undefined {
  const [range, ...more] = set
  return range && more.length === 0 && range[0] === range[1] ? range[0] : undefined
}
