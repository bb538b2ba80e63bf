/** Text to tokens: words and punctuation, with a note of where blanks stood. */
import { spokenForm } from './spoken.js'

export interface Token {
  readonly text: string
  /** A blank followed it in the text. */
  readonly space: boolean
  /** A web or mail address or a file name: its dots and slashes are said. */
  readonly address: boolean
}

/** Signs that are cut off the front and the end of a word, each as a token of its own. */
const affix = new Set('()[]{}<>"“”«»„‟*_`,;:!?¿¡…—–~|\\^#&=$£€¥₹•·')
const apostrophes = new Set("'‘’")
/** Words that begin with an apostrophe; in '80s it stands before a digit. */
const elided = /^['‘’](?:\d|(?:n['‘’]?|em|til|cause|bout|round)$)/i

/** Abbreviations that keep their dot; initials (U.S., p.m., J.) are known by their shape. */
const abbreviations = new Set(
  (
    'Mr Mrs Ms Messrs Dr Prof St Mt Jr Sr Gen Gov Sen Rep Rev Hon Adm Capt Col Lt Sgt Maj Co Corp Inc Ltd Bros ' +
    'Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec etc vs Etc'
  ).split(' '),
)

/** Control characters but blanks, soft hyphens, joiners, variation selectors, halves of surrogate pairs. */
const invisible = /(?!\s)\p{Cc}|\u00AD|[\u200B-\u200F]|\u2060|[\uFE00-\uFE0F]|\uFEFF|\p{Cs}/gu

/** Cut text into tokens. Runs of blanks and line ends count as one blank; time is linear in the text's length. */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  const plain = text.replaceAll(/[\u2010\u2011]/g, '-').replaceAll(invisible, '')
  const chunks = plain.split(/\s+/u).filter((chunk) => chunk !== '')
  chunks.forEach((chunk, i) => {
    cutChunk(chunk, chunks[i + 1] ?? '', i + 1 < chunks.length, tokens)
  })
  return tokens
}

function cutChunk(chunk: string, next: string, space: boolean, tokens: Token[]): void {
  const texts: { text: string; address?: boolean; spoken?: boolean }[] = []
  let start = 0
  while (start < chunk.length - 1 && isPrefix(chunk, start)) texts.push({ text: chunk[start++]! })
  const tail: string[] = []
  let end = chunk.length
  for (
    let cut = suffixStart(chunk, start, end, next);
    cut < end;
    cut = suffixStart(chunk, start, end, next)
  ) {
    tail.push(chunk.slice(cut, end))
    end = cut
  }
  const core = chunk.slice(start, end)
  const form = core === '' ? null : spokenForm(core, next)
  if (form) for (const text of form.words) texts.push({ text, address: form.address, spoken: true })
  else for (const text of core.split(inside)) if (text) texts.push({ text })
  for (const text of tail.reverse()) texts.push({ text })
  texts.forEach(({ text, address = false, spoken = false }, i) => {
    const last = i + 1 === texts.length
    const apart = spoken && (texts[i + 1]?.spoken ?? false)
    tokens.push({ text: /^-{2,}$/.test(text) ? '—' : text, space: last ? space : apart, address })
  })
}

function isPrefix(chunk: string, at: number): boolean {
  const sign = chunk[at]!
  if (apostrophes.has(sign)) return !elided.test(chunk.slice(at, at + 6))
  if (sign === '&' || sign === '=') return false
  return affix.has(sign)
}

/** Where the last sign of the chunk begins when it is to be cut off; `end` when nothing is. */
function suffixStart(chunk: string, start: number, end: number, next: string): number {
  if (end - start < 2) return end
  const sign = chunk[end - 1]!
  if (sign === '.') {
    let dots = end - 1
    while (dots > start && chunk[dots - 1] === '.') dots--
    if (end - dots > 1) return dots > start ? dots : end
    return keepsDot(chunk, start, end, next) ? end : end - 1
  }
  if (apostrophes.has(sign)) return elided.test(chunk.slice(start, start + 6)) ? end : end - 1
  if (sign === '&' || sign === '=' || sign === '#') return end
  return affix.has(sign) ? end - 1 : end
}

/** Initials and abbreviations keep their dot, and so does any single capital letter: "am I.", "5G.". */
function keepsDot(chunk: string, start: number, end: number, next: string): boolean {
  const word = chunk.slice(Math.max(start, end - 24), end - 1)
  if (/^\p{L}$/u.test(word) || /(?:^|[^\p{Lu}°])\p{Lu}$/u.test(word)) return true
  if (/^\p{L}{1,2}(?:\.\p{L}{1,2})+$/u.test(word) || abbreviations.has(word)) return true
  return word === 'No' && /^\d/.test(next)
}

/** Punctuation inside a chunk that parts it: dashes, brackets, quotes, "end.Start", "one,two". */
const inside =
  /([—–…;!?()[\]{}"“”$£€¥<>*=~|°]|-{2,}|\.{2,}|(?<=\p{Ll})\.(?=\p{Lu})|(?<=\p{L})[,:](?=\p{L})|:(?!\d)|(?<=\p{L})(?=['‘’](?:ve|VE|ll|LL|re|RE|d|D|m|M)$))/u
