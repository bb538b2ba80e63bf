/**
 * Rules drawn as graphs of JSON text. Values stand in the form of JSON.stringify. White space is bounded, so that a
 * model can not go on with it for ever: none, one space, or a line break and an indentation.
 */
import type { Alternative as AlternativeOf } from './rule.js'
import type { Callee } from './state.js'
import { Node } from './structure.js'

const ascii = (character: string) => character.charCodeAt(0)
const mostIndentation = 24

/** A rule that can be called where its value comes. */
export interface CalledRule extends Callee {
  readonly alternatives: readonly Alternative[]
}
type Alternative = AlternativeOf<CalledRule, Callee>

/** The graph of the values that have one of these forms. @param writable which bytes a token can be: others are escaped */
export function drawn(alternatives: readonly Alternative[], writable: readonly boolean[]): Node {
  const start = new Node()
  const end = Node.final()
  for (const alternative of alternatives) draw(alternative, start, end, writable)
  return start
}

function draw(alternative: Alternative, from: Node, to: Node, writable: readonly boolean[]): void {
  switch (alternative.kind) {
    case 'values':
      choose(
        alternative.values.map((value) => jsonBytes(value, writable)),
        from,
        to,
      )
      return
    case 'lexeme':
      from.call(alternative.lexeme, to)
      return
    case 'object':
      drawObject(alternative, from, to, writable)
      return
    case 'array':
      drawArray(alternative, from, to, writable)
  }
}

/** Properties come in the order in which they are declared, then further ones. */
function drawObject(
  { properties, additional }: Extract<Alternative, { kind: 'object' }>,
  from: Node,
  to: Node,
  writable: readonly boolean[],
): void {
  const close = new Node().on(ascii('}'), to)
  const lastRequired = properties.findLastIndex(({ isRequired }) => isRequired)
  /** Where the key of one of the properties from `index` on comes. */
  const keys = properties.map((_, index) => new Node((node) => drawKey(node, index)))
  keys.push(new Node((node) => drawFurther(node)))
  /** Behind a value, all properties before `index` being done with. */
  const behind = [...keys].map((_, index) => new Node((node) => drawBehind(node, index)))

  function drawKey(node: Node, index: number): void {
    const { name, value, isRequired } = properties[index]!
    const colon = new Node()
    node.path(jsonBytes(name, writable), colon)
    drawValue(colon, value, behind[index + 1]!, writable)
    if (!isRequired) node.empty(keys[index + 1]!)
  }
  function drawFurther(node: Node): void {
    if (!additional) return
    const colon = new Node()
    node.call(additional.key, colon)
    drawValue(colon, additional.value, behind.at(-1)!, writable)
  }
  function drawBehind(node: Node, index: number): void {
    if (index > lastRequired) node.empty(gap(close))
    if (index < properties.length || additional) node.on(ascii(','), gap(keys[index]!))
  }
  const opened = new Node()
  from.on(ascii('{'), gap(opened))
  opened.empty(keys[0]!)
  if (lastRequired < 0) opened.empty(close)
}

function drawValue(colon: Node, value: CalledRule, to: Node, writable: readonly boolean[]): void {
  const place = new Node()
  colon.on(ascii(':'), new Node().on(ascii(' '), place).empty(place))
  put(value, place, to, writable)
}

function drawArray(
  array: Extract<Alternative, { kind: 'array' }>,
  from: Node,
  to: Node,
  writable: readonly boolean[],
): void {
  const { prefix, items, least, most } = array
  // From here on, one place is like the next.
  const last = most === Infinity ? Math.max(prefix.length, least) : most
  const close = new Node().on(ascii(']'), to)
  /** Where item `index` comes. */
  const item = (index: number) =>
    new Node((node) => put(prefix[index] ?? items, node, behind(Math.min(index + 1, last)), writable))
  const place = (count: number) =>
    new Node((node) => {
      if (count >= least) node.empty(gap(close))
      if (count < most) node.on(ascii(','), gap(item(count)))
    })
  const end = place(last)
  /** Behind `count` items. Only the last place is kept here, so that those that a text has passed can go. */
  const behind = (count: number): Node => (count === last ? end : place(count))
  const opened = new Node()
  from.on(ascii('['), gap(opened))
  if (least === 0) opened.empty(close)
  if (most > 0) opened.empty(item(0))
}

/** Texts that begin alike share the places of their beginning. */
function choose(texts: readonly Uint8Array[], from: Node, to: Node): void {
  const branches = new Map<Node, Map<number, Node>>([[from, new Map()]])
  for (const bytes of texts) {
    let at = from
    for (const byte of bytes.subarray(0, -1)) {
      let next = branches.get(at)!.get(byte)
      if (!next) {
        next = new Node()
        at.on(byte, next)
        branches.get(at)!.set(byte, next)
        branches.set(next, new Map())
      }
      at = next
    }
    at.on(bytes.at(-1)!, to)
  }
}

/** White space before `to`. */
function gap(to: Node): Node {
  const indented = (width: number): Node =>
    new Node((node) => {
      node.empty(to)
      if (width < mostIndentation) node.on(ascii(' '), indented(width + 1))
    })
  const node = new Node().on(ascii(' '), to).on(ascii('\n'), indented(0))
  return node.empty(to)
}

/** A value's text between two places. Only what nests, or has other ways to be written, needs a run of its own. */
function put(rule: CalledRule, from: Node, to: Node, writable: readonly boolean[]): void {
  const [alternative, ...others] = rule.alternatives
  const isSimple = alternative?.kind === 'lexeme' || alternative?.kind === 'values'
  if (isSimple && others.length === 0) draw(alternative, from, to, writable)
  else from.call(rule, to)
}

function jsonBytes(value: unknown, writable: readonly boolean[]): Uint8Array {
  const text = JSON.stringify(value).replace(/[\u0080-\u{10ffff}]/gu, (character) =>
    Buffer.from(character).every((byte) => writable[byte]) ? character : escapedCharacter(character),
  )
  return Buffer.from(text)
}

function escapedCharacter(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
