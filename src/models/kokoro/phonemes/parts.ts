/**
 * Tagged tokens to the units that are looked up: a token is cut at case, digits and signs (GPUs, 10-year-old,
 * iPhone), and parts that touch form a group, of which the longest known runs are said together.
 */
import { spokenMarks } from './alphabet.js'
import { isCurrency } from './numbers.js'
import type { Tagged } from './tags.js'

export interface Part {
  text: string
  readonly tag: string
  /** A blank follows it in the text. */
  readonly space: boolean
  /** No other part of the same word stands before it. */
  isHead: boolean
  /** The sign of the sum of money that ends here. */
  currency: string | null
  /** Null until it is known how the part sounds. */
  phonemes: string | null
}

const pieces = new RegExp(
  [
    "^['‘’]+",
    '\\p{Lu}(?=\\p{Lu}\\p{Ll})',
    '(?:^-)?(?:\\p{Nd}?[,.]?\\p{Nd})+',
    '[-_]+',
    "['‘’]{2,}",
    "\\p{L}*?(?:['‘’]\\p{L})*?\\p{Ll}(?=\\p{Lu})",
    "\\p{L}+(?:['‘’]\\p{L})*",
    "[^-_\\p{L}'‘’\\p{Nd}]",
    "['‘’]+$",
  ].join('|'),
  'gu',
)

/** Tags of tokens that are said as their marks of punctuation, if they have any. */
const punctuationTags = new Set(['.', ',', '-LRB-', '-RRB-', '``', '""', "''", ':', '$', '#', 'NFP'])
const tagMarks: ReadonlyMap<string, string> = new Map([
  ['-LRB-', '('],
  ['-RRB-', ')'],
  ['``', '“'],
  ['""', '”'],
  ["''", '”'],
])

/** Signs that are said, or silently part a word: they wait for the lexicon. Every other sign is silent at once. */
const meaningful = /^(?:[\p{L}\p{M}\p{N}',\-._‘’/%&+@]+)$/u

/** Groups of parts that touch; a part that has its sound already stands alone. Linear in the number of tokens. */
export function cutIntoGroups(tokens: readonly Tagged[]): Part[][] {
  const groups: Part[][] = []
  let currency: string | null = null
  /** The part before, when another one may join it. */
  let open: Part[] | null = null
  tokens.forEach((token, i) => {
    const texts = token.text.match(pieces) ?? []
    texts.forEach((text, j) => {
      const lastPiece = j + 1 === texts.length
      const part: Part = {
        text,
        tag: token.tag,
        space: lastPiece && token.space,
        isHead: true,
        currency: null,
        phonemes: soundOfSign(text, token.tag),
      }
      let alone = part.phonemes !== null
      if (token.tag === '$' && isCurrency(text)) currency = text
      else if (!alone && currency !== null) {
        if (token.tag !== 'CD') currency = null
        else if (lastPiece && tokens[i + 1]?.tag !== 'CD') part.currency = currency
      } else if (text === '2' && isBetweenLetters(texts, j)) {
        part.text = 'to'
        alone = true
      }
      if (open && !alone) {
        part.isHead = false
        open.push(part)
      } else {
        open = [part]
        groups.push(open)
      }
      if (alone || part.space) open = null
    })
  })
  return groups
}

/** The 2 of B2B and H2O. */
function isBetweenLetters(texts: readonly string[], at: number): boolean {
  return /\p{L}$/u.test(texts[at - 1] ?? '') && /^\p{L}/u.test(texts[at + 1] ?? '')
}

/** What a sign of punctuation sounds like (its mark, or nothing); null for whatever is to be looked up. */
function soundOfSign(text: string, tag: string): string | null {
  if (tag === '$' && isCurrency(text)) return ''
  if (tag === ':' && (text === '-' || text === '–')) return '—'
  if (punctuationTags.has(tag) && !/^[a-z]+$/i.test(text)) {
    return tagMarks.get(tag) ?? [...text].filter((sign) => spokenMarks.has(sign)).join('')
  }
  return meaningful.test(text) ? null : ''
}
