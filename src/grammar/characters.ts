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

const properties = new Map<string, Characters | undefined>()

/** The characters of a Unicode property (`L`, `Script=Greek`), by the engine's own tables; undefined if it has no such. */
export function unicodeProperty(name: string): Characters | undefined {
  if (!properties.has(name)) properties.set(name, scanned(name))
  return properties.get(name)
}

function scanned(name: string): Characters | undefined {
  if (!/^[A-Za-z0-9_=]{1,60}$/.test(name)) return undefined
  let runs: RegExp
  try {
    runs = new RegExp(`\\p{${name}}+`, 'gu')
  } catch {
    return undefined // the answer to whether there is such a property
  }
  const found: Range[] = []
  for (const match of everyCharacter().matchAll(runs)) {
    let low = match[0].codePointAt(0)!
    let high = low - 1
    for (const character of match[0]) {
      const code = character.codePointAt(0)!
      if (code !== high + 1) {
        found.push([low, high])
        low = code
      }
      high = code
    }
    found.push([low, high])
  }
  return characters(found)
}

function everyCharacter(): string {
  const pieces: string[] = []
  for (const [low, high] of anyCharacter)
    for (let code = low; code <= high; code++) pieces.push(String.fromCodePoint(code))
  return pieces.join('')
}
