/** Sets of code points, as ascending ranges that do not touch. Surrogates belong to none: no text can have them. */

export type Range = readonly [low: number, high: number]
export type Characters = readonly Range[]

/** Every character. */
export const anyCharacter: Characters = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
]

/** Any ranges as a set. */
export function characters(ranges: readonly Range[]): Characters {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const [low, high] of sorted) {
    const last = merged.at(-1)
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else merged.push([low, high])
  }
  return common(merged, anyCharacter)
}

/** What both have. */
export function common(a: Characters, b: Characters): Characters {
  const both: Range[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const low = Math.max(a[i]![0], b[j]![0])
    const high = Math.min(a[i]![1], b[j]![1])
    if (low <= high) both.push([low, high])
    if (a[i]![1] < b[j]![1]) i++
    else j++
  }
  return both
}

/** All but these. */
export function others(set: Characters): Characters {
  const rest: Range[] = []
  let next = 0
  for (const [low, high] of set) {
    if (low > next) rest.push([next, low - 1])
    next = high + 1
  }
  if (next <= 0x10ffff) rest.push([next, 0x10ffff])
  return common(rest, anyCharacter)
}

export const only = (text: string): Characters =>
  characters([...text].map((character): Range => [character.codePointAt(0)!, character.codePointAt(0)!]))

const digit = characters([[0x30, 0x39]])
// biome-ignore format: a row
const word = characters([[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]])
/** ECMAScript's WhiteSpace and LineTerminator. */
// biome-ignore format: a table
const space = characters([
  [0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a],
  [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff],
])

/** What `\d`, `\w`, `\s` and their opposites stand for. */
export const classEscapes: Readonly<Record<string, Characters>> = {
  d: digit,
  D: others(digit),
  w: word,
  W: others(word),
  s: space,
  S: others(space),
}

/** What `.` stands for: all but line terminators. */
export const dot: Characters = others(only('\n\r\u2028\u2029'))

const properties = new Map<string, Characters>()

/**
 * The characters of a Unicode property (`L`, `Script=Greek`), by the engine's own tables; undefined if it has no such.
 * @param search called before one is looked for that was not found before, which takes some ten milliseconds
 */
export function unicodeProperty(name: string, search: () => void): Characters | undefined {
  const known = properties.get(name)
  if (known || !/^[A-Za-z0-9_=]{1,60}$/.test(name)) return known
  let runs: RegExp
  try {
    runs = new RegExp(`\\p{${name}}+`, 'gu')
  } catch {
    return undefined // the answer to whether there is such a property
  }
  search()
  const found = [...everyCharacter().matchAll(runs)].map(
    ({ 0: run, index }): Range => [codeAt(index), codeAt(index + run.length) - 1],
  )
  const set = characters(found)
  properties.set(name, set)
  return set
}

const surrogates = 0x800
const firstPair = 0x10000 - surrogates

/** Text of all characters, in order. */
function everyCharacter(): string {
  const units = new Uint16Array(firstPair + 2 * 0x100000)
  for (let unit = 0; unit < firstPair; unit++) units[unit] = unit < 0xd800 ? unit : unit + surrogates
  for (let code = 0; code < 0x100000; code++) {
    units[firstPair + 2 * code] = 0xd800 + (code >>> 10)
    units[firstPair + 2 * code + 1] = 0xdc00 + (code & 0x3ff)
  }
  return Buffer.from(units.buffer).toString('utf16le')
}

/** Which of its characters begins at an index. */
function codeAt(index: number): number {
  if (index < 0xd800) return index
  return index < firstPair ? index + surrogates : 0x10000 + (index - firstPair) / 2
}
