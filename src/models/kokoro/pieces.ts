/**
 * Text of any length as pieces that the networks take at once. A sentence is one piece if it fits; else it is halved
 * at the clause nearest its middle, else at the word, else anywhere, until the parts fit. Each piece is phonemised as
 * it will be spoken. Very short sentences share a piece with a neighbour, because the voices were trained on longer
 * ones, and sound rushed or flat on a word or two.
 */
import { splitSentences } from '../../text/sentences.js'
import type { Phonemiser } from './phonemes/phonemes.js'

export interface Piece {
  readonly text: string
  /** Characters of the phoneme alphabet; at least one of them is a sound. */
  readonly phonemes: string
}

export interface PieceLimits {
  /** The most phoneme characters of a piece. */
  readonly most: number
  /** The first piece ends at a clause before so many characters, where there is one: the first sound comes sooner. */
  readonly first: number
  /** Pieces below this are joined with a neighbour, as long as both together are shorter than `first`. */
  readonly short: number
}

/** Yields pieces as they are asked for, so that speaking can begin before the end of a long text is looked at. */
export function* cutIntoPieces(text: string, phonemiser: Phonemiser, limits: PieceLimits): Generator<Piece> {
  let held: Piece | null = null
  for (const piece of fittingPieces(text, phonemiser, limits)) {
    const joined: Piece | null = held && join(held, piece, limits)
    if (held && !joined) yield held
    held = joined ?? piece
  }
  if (held) yield held
}

function* fittingPieces(text: string, phonemiser: Phonemiser, limits: PieceLimits): Generator<Piece> {
  let isFirst = true
  for (const sentence of splitSentences(text)) {
    const early = isFirst ? earlyClause(sentence, limits.first) : null
    for (const part of early ?? [sentence])
      for (const piece of fitted(part, phonemiser, limits.most)) {
        isFirst = false
        yield piece
      }
  }
}

function* fitted(text: string, phonemiser: Phonemiser, most: number): Generator<Piece> {
  const phonemes = phonemiser.phonemise(text).trim()
  if (!sound.test(phonemes)) return
  if (lengthOf(phonemes) <= most || lengthOf(text) === 1) yield { text, phonemes }
  else for (const half of halves(text)) yield* fitted(half, phonemiser, most)
}

/**
 * What a piece says, as the pieces of its halves.
 * @throws Error for a single character, which has none
 */
export function halved({ text }: Piece, phonemiser: Phonemiser): Piece[] {
  if (lengthOf(text) === 1) throw new Error(`"${text}" is spoken too long for one run, and can not be halved`)
  return halves(text).flatMap((half) => [...fitted(half, phonemiser, Number.POSITIVE_INFINITY)])
}

/** The number of characters: of phonemes as voices count them, whether the network knows them or not. */
export const lengthOf = (characters: string): number => [...characters].length

/** Anything but punctuation, stress and space. */
const sound = /[^\s;:,.!?—…"()“”ˈˌː]/u

const closers = String.raw`["'”’)\]*_]*`
const clauseEnd = new RegExp(String.raw`(?<=[,;:…–—)\]]${closers})\s+|(?<=—)(?=\S)`, 'gu')
const gap = /\s+/gu

/** Two parts of a text, cut at the best kind of place nearest its middle. */
function halves(text: string): [string, string] {
  for (const kind of [clauseEnd, gap]) {
    const places = placesOf(text, kind)
    const middle = text.length / 2
    if (places.length > 0)
      return cutAt(
        text,
        places.reduce((a, b) => (Math.abs(b - middle) < Math.abs(a - middle) ? b : a)),
      )
  }
  const letters = [...text]
  return cutAt(text, letters.slice(0, Math.ceil(letters.length / 2)).join('').length)
}

/** A long first sentence in two, at its last clause that ends early enough; null if it is short or has none. */
function earlyClause(sentence: string, most: number): [string, string] | null {
  if (sentence.length <= most) return null
  const place = placesOf(sentence, clauseEnd).findLast((end) => end <= most && end >= most / 4)
  return place === undefined ? null : cutAt(sentence, place)
}

function placesOf(text: string, kind: RegExp): number[] {
  return Array.from(text.matchAll(kind), ({ index }) => index).filter(
    (place) => text.slice(0, place).trim() !== '' && text.slice(place).trim() !== '',
  )
}

const cutAt = (text: string, place: number): [string, string] => [
  text.slice(0, place).trim(),
  text.slice(place).trim(),
]

/** Both pieces as one, if one of them is very short and a pause is written between them; else null. */
function join(a: Piece, b: Piece, { short, first, most }: PieceLimits): Piece | null {
  const [before, after] = [lengthOf(a.phonemes), lengthOf(b.phonemes)]
  const together = before + 1 + after
  if (Math.min(before, after) >= short || together > Math.min(first, most)) return null
  if (!/[;:,.!?—…"”)]$/u.test(a.phonemes)) return null
  return { text: `${a.text} ${b.text}`, phonemes: `${a.phonemes} ${b.phonemes}` }
}
