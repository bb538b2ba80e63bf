/**
 * Sentences for speech. Unicode's rules (UAX #29, by Intl.Segmenter) find the ends; what they do not know
 * (abbreviations, initials, addresses, list numbers, Markdown) is corrected on a shadow of the text, of the same
 * length, in which a full stop that ends nothing is a letter.
 */

const word = String.raw`[\p{L}\p{N}]`
const closers = String.raw`["'”’»)\]*_]`

/** Words that begin a sentence far more often than they continue a name: they decide after "U.S." or "9 a.m.". */
const starters =
  `A An The This That These Those It He She They We I You There Here His Her Its Their Our My Your What Who Where ` +
  `Why How When While If As Although Since After Before Because But And Or So Yet Then However Not No Yes Also In On ` +
  `At By For From With Some Many Most Each Every All Both Such Another Once Now Later Let Did Does Is Are Was Were ` +
  `Can Could Will Would Should Have Has Maybe Perhaps Please Meanwhile Still`
const beforeStarter = String.raw`(?=\)*\s+["'“‘(*_]*(?:${starters.replaceAll(' ', '|')})(?![\p{L}\p{N}.]))`

const titles = `Mr|Mrs|Ms|Mx|Dr|Prof|Rev|Hon|Gen|Col|Maj|Capt|Cmdr|Lt|Sgt|Cpl|Adm|Sen|Rep|Gov|Pres|Messrs|Mt|Ft`
const phrases = String.raw`[eE]\.g|[iI]\.e|[cC]f|vs|viz|[aA]pprox|ca`
const beforeNumbers = `[nN]os?|[fF]igs?|pp?|[vV]ols?|[cC]h|[sS]ec|[eE]qs?|[aA]rt|[pP]t|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec`
const endings = String.raw`Inc|Ltd|Co|Corp|Bros|Jr|Sr|Esq|St|Ave|Blvd|Rd|al|Ph\.D|Univ|Dept`

/**
 * Marks that end no sentence. Each rule finds its mark first and looks back from it then: looking back from every
 * position would take time quadratic in a run of spaces or brackets.
 */
const inner = new RegExp(
  [
    String.raw`(?<![.?!…])[.?!…]+(?=[\p{L}\p{N}/=&%#@~+\\]|_${word})`, // 3.5, example.org/a?b=c
    String.raw`(?=\.)(?<=(?<!${word})(?:${titles}|${phrases}))\.`,
    String.raw`(?=\.)(?<=(?<!${word})(?:${beforeNumbers}))\.(?=\s*[#\p{N}])`,
    String.raw`(?=\.)(?<=(?<!${word})(?:${endings}))\.(?=\)*\s)(?!${beforeStarter})`,
    // Initials (not "I", mostly the pronoun) and U.S., a.m.
    String.raw`(?=\.\)*\s)(?<=(?<![\p{L}\p{N}'’])(?:(?!I)\p{Lu}|(?:\p{L}\.)+\p{L}))\.(?!${beforeStarter})`,
    // List numbers at the start of a line.
    String.raw`(?=\.\s)(?<=\n[ \t]*[*_#>-]*[ \t]*(?:\p{Nd}{1,3}|[A-Za-z]|[IVX]{1,5}))\.`,
    // "Stop!" he said.
    String.raw`(?<![.?!…])[.?!…]+(?=${closers}+\s+\p{Ll})`,
  ].join('|'),
  'gu',
)

/** Markdown marks and [1] after the mark belong to the sentence, as closing brackets do. */
const trailing = /(?=[*_`~[])(?<=[.?!…]["'”’»)\]]*)(?:[*_`~]|\[\d+\])+/gu
/** After the end of a sentence a number is as good as a capital. */
const leadingNumber = /(?=\p{Nd})(?<=[.…]["'”’»)\]]*\s+[^\p{L}\p{N}\s]{0,3})\p{Nd}/gu
/** A line break within a sentence: the next line goes on in lower case, and is not "b. the second". */
const wrapped = /(?=\r?\n)(?<=[\p{L}\p{N},;)"”][ \t]*)\r?\n(?=[ \t]*(?!\p{L}[.)\u05d0]\s)\p{Ll})/gu

const letter = '\u05d0' // of no case, so that it does not count as the start or the middle of a sentence

function shadowOf(text: string): string {
  return text
    .replace(inner, (marks) => letter.repeat(marks.length))
    .replace(trailing, (marks) => ')'.repeat(marks.length))
    .replace(leadingNumber, 'A')
    .replace(wrapped, (ending) => ' '.repeat(ending.length))
    .replaceAll('…', '.')
}

/** A word from its first letter on. */
const words = /\p{L}[\p{L}\p{M}\p{N}'’]*/gu

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** Longer "sentences" are cut at a space. It also bounds the work: Intl.Segmenter is quadratic in its text. */
const longest = 2000

/** Splits text that arrives in pieces; the pieces' borders make no difference. Sentences come without outer white space. */
export class SentenceStream {
  #text = ''
  /** The last character before #text: whether a line starts here. */
  #before = '\n'

  /** Takes more text; returns the sentences whose end is now certain. */
  push(text: string): string[] {
    const sentences: string[] = []
    for (let at = 0; at < text.length; ) {
      const piece = text.slice(at, at + longest - this.#text.length)
      at += piece.length
      this.#text += piece
      this.#cut(sentences, false)
      if (this.#text.length >= longest) this.#take(sentences, lastGap(this.#text))
    }
    return sentences
  }

  /** The remaining sentences. The stream can then be used anew. */
  end(): string[] {
    const sentences: string[] = []
    this.#cut(sentences, true)
    this.#take(sentences, this.#text.length)
    this.#before = '\n'
    return sentences
  }

  #cut(sentences: string[], complete: boolean): void {
    const text = this.#text
    const shadow = shadowOf(this.#before + text).slice(1)
    const certain = complete ? text.length : lastWholeWord(text)
    let taken = 0
    for (const { index } of segmenter.segment(shadow)) {
      if (index === 0) continue
      if (index > certain) break
      this.#take(sentences, index - taken)
      taken = index
    }
  }

  #take(sentences: string[], length: number): void {
    if (length === 0) return
    const sentence = this.#text.slice(0, length).trim()
    this.#before = this.#text.charAt(length - 1)
    this.#text = this.#text.slice(length)
    if (sentence !== '') sentences.push(sentence)
  }
}

/** The sentences of a text, in order and without outer white space; their words are the text's words. */
export function splitSentences(text: string): string[] {
  const stream = new SentenceStream()
  return [...stream.push(text), ...stream.end()]
}

/**
 * Where the last whole word (one with something after it) starts. The rules look no further than one word beyond the
 * end of a sentence, so an end before that place is certain.
 */
function lastWholeWord(text: string): number {
  let last = -1
  for (const { 0: found, index } of text.matchAll(words)) {
    const after = index + found.length
    if (after < text.length && !isHighSurrogate(text.charCodeAt(after))) last = index
  }
  return last
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** Behind the last space, or else at the end; never inside a surrogate pair. */
function lastGap(text: string): number {
  const gap = text.search(/\s\S*$/u)
  if (gap > 0) return gap + 1
  return isHighSurrogate(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length
}
