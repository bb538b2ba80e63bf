/**
 * Normaliser and pre-tokenizer of a tokenizer.json, in terms that the JavaScript library reproduces exactly.
 *
 * Several of its steps differ from the Rust reference: `Digits` knows only ASCII digits (the reference: every numeric
 * character, Unicode N), the white space of `ByteLevel` is JavaScript's (which has U+FEFF and lacks U+0085),
 * `Metaspace` neither splits nor knows the older spelling of its settings, `Split` takes every behaviour but one for
 * `Isolated`. All are expressible as a `Split` by a Unicode regular expression, which it does reproduce. What is not
 * is refused.
 */
import { SetupError } from '../errors.js'
import { isObject, type JsonObject } from './json-file.js'

/** GPT-2's pre-tokenization (openai/gpt-2, src/encoder.py), which `ByteLevel` with `use_regex` stands for. */
const gpt2Words = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/** The reference's punctuation: that of ASCII, and Unicode P. */
const punctuation = String.raw`[!-/:-@\[-\x60{-~\p{P}]`

/** @throws SetupError for a pre-tokenizer that the library does not reproduce */
export function exactPreTokenizer(step: unknown, path: string): JsonObject | null {
  if (!isObject(step)) return null
  switch (step.type) {
    case 'Sequence':
      return sequence(list(step.pretokenizers).map((inner) => exactPreTokenizer(inner, path) ?? sequence([])))
    case 'Digits':
      return split(step.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`)
    case 'Punctuation':
      if (step.behavior !== undefined && step.behavior !== 'Isolated') throw behaves(step, path)
      return split(punctuation)
    case 'ByteLevel':
      return exactByteLevel(step)
    case 'Metaspace':
      return exactMetaspace(step)
    case 'Split':
      return exactSplit(step, path)
    default:
      throw unsupported('pre-tokenizer', step.type, path)
  }
}

function exactByteLevel(step: JsonObject): JsonObject {
  const bytes = { ...step, add_prefix_space: false, use_regex: false }
  const prefix =
    step.add_prefix_space === true
      ? [{ type: 'Replace', pattern: { Regex: String.raw`\A(?! )` }, content: ' ' }]
      : []
  const words = step.use_regex === false ? [] : [split(gpt2Words)]
  return sequence([...prefix, ...words, bytes])
}

/** Older files say `add_prefix_space` in place of `prepend_scheme`; pieces begin at each blank unless `split` is false. */
function exactMetaspace(step: JsonObject): JsonObject {
  const { replacement = '▁' } = step
  const prepend_scheme = step.prepend_scheme ?? (step.add_prefix_space === false ? 'never' : 'always')
  const joined = { type: 'Metaspace', replacement, prepend_scheme }
  return step.split === false ? joined : sequence([joined, split(`(?=${literal(String(replacement))})`)])
}

function exactSplit(step: JsonObject, path: string): JsonObject {
  const { pattern, behavior, invert } = step
  if (!isObject(pattern)) throw unsupported('Split pattern', pattern, path)
  const regex = typeof pattern.String === 'string' ? literal(pattern.String) : String(pattern.Regex)
  if (behavior === 'Isolated') return split(regex)
  if (behavior === 'Removed' && !/(?<!\\)\((?!\?)/.test(regex)) return { ...split(regex), behavior, invert }
  const one = typeof pattern.String === 'string' && [...pattern.String].length === 1 && invert !== true
  if (behavior === 'MergedWithPrevious' && one) return split(`(?<=${regex})`)
  if (behavior === 'MergedWithNext' && one) return split(`(?=${regex})`)
  throw behaves(step, path)
}

export interface ExactNormalizer {
  readonly json: JsonObject | null
  /** The most bytes of a text that become one byte. */
  readonly shrinks: number
}

/** @throws SetupError for a normaliser that the library does not reproduce */
export function exactNormalizer(step: unknown, path: string): ExactNormalizer {
  if (!isObject(step)) return { json: null, shrinks: 1 }
  switch (step.type) {
    case 'Sequence': {
      const inner = list(step.normalizers).map((one: unknown) => exactNormalizer(one, path))
      const shrinks = inner.reduce((product, one) => product * one.shrinks, 1)
      return { json: { ...step, normalizers: inner.flatMap(({ json }) => json ?? []) }, shrinks }
    }
    case 'Prepend':
    case 'NFD':
      return { json: step, shrinks: 1 }
    case 'NFC': // three letters of Hangul, of 3 bytes each, are one syllable of 3
      return { json: step, shrinks: 3 }
    case 'NFKC':
    case 'NFKD': // a mathematical letter of 4 bytes is one of ASCII
      return { json: step, shrinks: 4 }
    case 'Replace': {
      const { pattern, content } = step
      if (!isObject(pattern) || typeof pattern.String !== 'string' || !content || typeof content !== 'string')
        throw unsupported('normalizer', 'Replace by a regular expression, or with nothing', path)
      const shrinks = Math.max(1, Buffer.byteLength(pattern.String) / Buffer.byteLength(content))
      return { json: { ...step, content: content.replaceAll('$', '$$$$') }, shrinks }
    }
    default:
      throw unsupported('normalizer', step.type, path)
  }
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const sequence = (pretokenizers: readonly JsonObject[]): JsonObject => ({ type: 'Sequence', pretokenizers })

const split = (regex: string): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
})

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const unsupported = (what: string, type: unknown, path: string): SetupError =>
  new SetupError(`${path} has the ${what} ${String(type)}, which is not supported: choose another model.`)

const behaves = (step: JsonObject, path: string): SetupError =>
  new SetupError(
    `${path} splits text by "${String(step.behavior)}", which is not supported here: choose another model.`,
  )
