/**
 * A small part-of-speech tagger: closed classes from a list, the rest guessed from the neighbours. It only needs
 * to be right where two words share their letters (record, live, close, use, read, that); an empty tag means "do
 * not know", and the lexicon then takes its default reading.
 */
import type { Token } from './tokens.js'
import { adjectives, closedClass, pastAlike, pluralSubjects, subjects } from './wordclasses.js'

export interface Tagged {
  readonly text: string
  /** Penn Treebank tag, or '' when unsure. */
  readonly tag: string
  readonly space: boolean
}

/** Tags of all tokens of a text. */
export function tagTokens(tokens: readonly Token[]): Tagged[] {
  const quotes = new Quotes()
  const shouted = !tokens.some(({ text }) => /\p{Ll}/u.test(text))
  const tags: string[] = []
  tokens.forEach((token, i) => {
    const sign = quotes.tag(tokens, i) ?? signTag(token.text)
    const tag = sign ?? (token.address ? 'ADD' : wordTag(tokens, tags, i, shouted))
    tags.push(tag)
  })
  return tokens.map(({ text, space }, i) => ({ text, tag: pennTag(tags[i]!, text), space }))
}

const opening = /^[([{]$/
const closing = /^[)\]}]$/

/** The tag of a token without letters and digits; null for a word. */
function signTag(text: string): string | null {
  if (/[\p{L}\p{N}]/u.test(text)) return null
  if (/^\.{2,}$/.test(text) || /^[;:—–-]$/.test(text)) return ':'
  if (/^[.!?]$/.test(text)) return '.'
  if (text === ',') return ','
  if (/^[$£€¥₹#]$/.test(text)) return '$'
  if (/^[%+@&]$/.test(text)) return text === '&' ? 'CC' : 'NN'
  if (/^['‘’]+$/.test(text)) return 'POS'
  if (opening.test(text)) return '-LRB-'
  return closing.test(text) ? '-RRB-' : 'NFP'
}

/** Which quotation marks open and which close. */
class Quotes {
  #double = false
  #single = false

  tag(tokens: readonly Token[], at: number): string | null {
    const { text } = tokens[at]!
    if (text === '“' || text === '«' || text === '„') return '``'
    if (text === '”' || text === '»') return "''"
    const spaceBefore = at === 0 || tokens[at - 1]!.space
    const spaceAfter = tokens[at]!.space || at + 1 === tokens.length
    if (text === '"') {
      this.#double = !this.#double && !spaceAfter
      return this.#double ? '``' : "''"
    }
    if (text !== "'" && text !== '‘' && text !== '’') return null
    const opens = !this.#single && !spaceAfter && (spaceBefore || /^[([{"“—]$/.test(tokens[at - 1]!.text))
    if (opens) {
      this.#single = true
      return '``'
    }
    if (!this.#single) return null
    this.#single = false
    return "''"
  }
}

function pennTag(tag: string, text: string): string {
  if (tag === 'SUB') return 'IN'
  if (tag === 'WDT') return /^that$/i.test(text) ? 'IN' : 'WP'
  if (tag === 'BE' || tag === 'HAVE' || tag === 'DO') return 'VBP'
  return tag
}

/** Shortened auxiliaries after a pronoun; 'd is would or had. */
const clitics = new Map([
  ["'m", 'BE'],
  ["'re", 'BE'],
  ["'ve", 'HAVE'],
  ["'ll", 'MD'],
  ["'d", 'MD'],
])
const boundaries = new Set(['', '.', ':', ',', '``', "''", '-LRB-', '-RRB-', 'NFP'])
const nounOpeners = new Set(['DT', 'PRP$', 'JJ', 'CD', 'IN', 'POS'])
const adjectiveEnding = /(?:[^aeio]al|ful|ous|ive|ic|able|ible|less|ish|ary)$/
const objectOpeners = new Set(['DT', 'PRP$', 'PRP', 'WDT'])

function wordTag(tokens: readonly Token[], tags: readonly string[], at: number, shouted: boolean): string {
  const { text } = tokens[at]!
  const before = tags[at - 1] ?? ''
  const next = tokens[at + 1]
  if (/\p{Nd}/u.test(text)) return numberTag(text)
  const lower = text.toLowerCase().replaceAll('’', "'")
  if (/^\p{Lu}[\p{Lu}&]+s?$/u.test(text) && !shouted) return 'NNP'
  if (lower === 'i')
    return text === 'I' && !/^(?:war|part|act|type|phase|volume)$/i.test(tokens[at - 1]?.text ?? '')
      ? 'PRP'
      : 'NN'
  if (lower === 'a')
    return text === 'A' && before !== '' && (!next || !/^[\p{L}\p{N}"“'‘]/u.test(next.text)) ? 'NN' : 'DT'
  if (lower === 'am' && before === 'CD') return 'NN'
  if (lower === 'that') return thatTag(before, next)
  if (lower === 'in' && before.startsWith('VB') && next && /^(?:and|or|with|to|at|on|from)$/.test(next.text))
    return 'RP'
  const closed = closedClass.get(lower)
  if (closed) return closed
  if (lower === "that's") return 'DT'
  const auxiliary = clitics.get(lower)
  if (auxiliary) return auxiliary
  if (lower.endsWith("'s")) return 'POS'
  const startsSentence =
    before === '' || before === '.' || before === '``' || before === ':' || before === '-LRB-'
  if (/^\p{Lu}/u.test(text) && !startsSentence && !shouted) return 'NNP'
  return contentTag(lower, tokens, tags, at)
}

function numberTag(text: string): string {
  if (/^[+-]?[\d.,/:-]*\d$/.test(text)) return 'CD'
  return /\d(?:st|nd|rd|th)$/.test(text) ? 'JJ' : 'NN'
}

/** "That is", "do that", "to that end" against "a test that can …", "we know that she …". */
function thatTag(before: string, next: Token | undefined): string {
  const after = next ? (signTag(next.text) ?? closedClass.get(next.text.toLowerCase()) ?? 'NN') : '.'
  if (boundaries.has(after) && after !== '``') return 'DT'
  if (boundaries.has(before) || before === 'IN' || before === 'CC' || before === 'TO') return 'DT'
  if (after === 'NN' || after === 'CD')
    return before.startsWith('VB') || before === 'BE' || before === 'DO' ? 'DT' : 'WDT'
  return 'WDT'
}

/** Noun, verb or adjective by place. */
function contentTag(word: string, tokens: readonly Token[], tags: readonly string[], at: number): string {
  const before = tags[at - 1] ?? ''
  const previous = tokens[at - 1]?.text.toLowerCase() ?? ''
  const next = tokens[at + 1]
  const after = next ? (signTag(next.text) ?? closedClass.get(next.text.toLowerCase()) ?? 'NN') : '.'
  const governor = governingTag(tokens, tags, at)
  if (word === 'close' && (before === 'NN' || before === 'RB')) return 'JJ'
  if (word === 'used') return usedTag(before, after, tokens[at + 2]?.text ?? '')
  if (governor === 'TO' || governor === 'MD' || governor === 'DO' || previous === 'please') return 'VB'
  if (governor === 'HAVE' && !nounOpeners.has(before))
    return before === 'PRP' || adjectives.has(word) ? 'JJ' : 'VBN'
  if (word.endsWith('ly')) return 'RB'
  if (word.endsWith('ing')) return 'VBG'
  if (word.endsWith('ed')) return before === 'BE' ? 'VBN' : 'VBD'
  if (governor === 'BE' && !nounOpeners.has(before)) return pastAlike.has(word) ? 'VBN' : 'JJ'
  const third = /[^su]s$/.test(word)
  if (subjects.has(previous) || before === 'WDT')
    return pastAlike.has(word) || pluralSubjects.has(previous) ? 'VBP' : third ? 'VBZ' : 'VBP'
  if (nounOpeners.has(before)) {
    if (after === 'NN' && (adjectives.has(word) || adjectiveEnding.test(word))) return 'JJ'
    return third ? 'NNS' : 'NN'
  }
  if (before === 'NN' || before === 'NNS' || before === 'NNP' || before === 'POS') {
    if (third) return 'VBZ'
    if (pastAlike.has(word)) return 'VBD'
    const verb = before === 'NNS' || word === 'live' || (before === 'NNP' && objectOpeners.has(after))
    return verb ? 'VBP' : 'NN'
  }
  if (adjectives.has(word) && after === 'NN') return 'JJ'
  if (objectOpeners.has(after)) return before === 'RB' ? 'VBP' : 'VB'
  if (before === 'RB') return 'JJ'
  return third ? 'NNS' : pastAlike.has(word) ? '' : 'NN'
}

/** The auxiliary or "to" that still waits for its verb, past adverbs and a subject pronoun: "did not", "can you". */
function governingTag(tokens: readonly Token[], tags: readonly string[], at: number): string {
  for (let i = at - 1; i >= 0 && i >= at - 4; i--) {
    const tag = tags[i]!
    if (tag === 'RB') continue
    if (
      tag === 'PRP' &&
      subjects.has(tokens[i]!.text.toLowerCase()) &&
      i > 0 &&
      /^(?:MD|DO|HAVE|BE)$/.test(tags[i - 1]!)
    )
      continue
    return tag
  }
  return ''
}

/** A habit ("used to go"), being accustomed ("am used to going"), or a tool in use ("is used to cut"). */
function usedTag(before: string, after: string, second: string): string {
  if (after !== 'TO') return before === 'BE' ? 'VBN' : 'VBD'
  if (before !== 'BE') return 'VBD'
  const follower = closedClass.get(second.toLowerCase())
  return second.endsWith('ing') || follower === 'DT' || follower === 'PRP$' || follower === 'PRP'
    ? 'JJ'
    : 'VBN'
}
