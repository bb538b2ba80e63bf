/** Function calls as chat templates write them, and the free text around them. */
import type { CallsPlan } from './plan.js'
import type { Pool } from './pool.js'
import type { Vocabulary } from './shape.js'
import type { Callee, State } from './state.js'
import { Node, structureState } from './structure.js'

interface Calls extends CallsPlan {
  /** The object that a call is. */
  readonly call: Callee
}

/** The grammar of a reply that makes calls, or may. */
export function replyWithCalls(calls: Calls, vocabulary: Vocabulary, pool: Pool): Callee {
  const start = drawn(calls, vocabulary)
  return {
    level: 2,
    get start(): State {
      return structureState([start], pool)
    },
  }
}

function drawn({ convention, call, isAuto, parallel }: Calls, vocabulary: Vocabulary): Node {
  const end = Node.final()
  const made = new Node((node) => {
    passed(pieces(convention.end, vocabulary), node, end)
    if (parallel) passed(pieces(convention.between, vocabulary), node, first)
  })
  const first = new Node().call(call, made)
  const begin = pieces(convention.begin, vocabulary)
  if (isAuto) return begin.length === 0 ? textUnlessCall(first) : textUntil(begin, first)
  const start = new Node()
  passed(begin, start, first)
  return start
}

/** A special token, or bytes. */
type Piece = { readonly token: number } | { readonly bytes: Uint8Array }

/** A text of the template, with the special tokens that it has. */
function pieces(text: string, vocabulary: Vocabulary): readonly Piece[] {
  return text
    .split(/(<[^<>\s]+>|\[[A-Z_]+\])/)
    .filter((part) => part !== '')
    .map((part) => {
      const token = vocabulary.specialId(part)
      const isSpecial = token !== undefined && vocabulary.bytes(token).length === 0
      return isSpecial ? { token } : { bytes: Buffer.from(part) }
    })
}

function passed(list: readonly Piece[], from: Node, to: Node): void {
  const last = list.reduce((node, piece) => {
    const next = new Node()
    if ('token' in piece) node.special(piece.token, next)
    else node.path(piece.bytes, next)
    return next
  }, from)
  last.empty(to)
}

/** Any text, special tokens among it. */
function freeText(): Node {
  const node = Node.final()
  node.anySpecial = true
  return node
}

/** A reply whose first character is that of an object is a call. */
function textUnlessCall(call: Node): Node {
  const text = freeText()
  text.on(0, text, 0xff)
  const start = freeText()
  return start
    .on(0, text, brace - 1)
    .on(brace + 1, text, 0xff)
    .empty(call)
}

const brace = 0x7b

/** Text up to the first piece, which begins calls; the white space at its end need not be there for it to. */
function textUntil([trigger, ...rest]: readonly Piece[], to: Node): Node {
  const behind = new Node()
  if (!trigger || 'token' in trigger) {
    passed(rest, behind, to)
    const text = freeText()
    text.on(0, text, 0xff)
    return trigger ? text.special(trigger.token, behind) : text
  }
  const text = Buffer.from(trigger.bytes).toString()
  const word = Buffer.from(text.trimEnd())
  passed([{ bytes: trigger.bytes.subarray(word.length) }, ...rest], behind, to)
  return textUntilWord(word, behind)
}

/** The automaton of Knuth, Morris and Pratt (1977): one place for every beginning of the word that has been read. */
function textUntilWord(word: Buffer, to: Node): Node {
  const places = Array.from(word, freeText)
  const bytes = [...new Set(word)].sort((a, b) => a - b)
  for (const [length, place] of places.entries()) {
    let next = 0
    for (const byte of bytes) {
      if (byte > next) place.on(next, places[0]!, byte - 1)
      const reached = longestBeginning(word, Buffer.concat([word.subarray(0, length), Buffer.of(byte)]))
      place.on(byte, places[reached] ?? to)
      next = byte + 1
    }
    if (next <= 0xff) place.on(next, places[0]!, 0xff)
  }
  return places[0]!
}

/** How much of the word the text ends with. */
function longestBeginning(word: Buffer, text: Buffer): number {
  for (let length = Math.min(word.length, text.length); length > 0; length--)
    if (word.subarray(0, length).equals(text.subarray(text.length - length))) return length
  return 0
}
