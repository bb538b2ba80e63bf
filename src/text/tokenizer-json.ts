/**
 * tokenizer.json, checked and put into the terms that the JavaScript library reproduces exactly.
 *
 * Two of its pre-tokenizers differ from the Rust reference: `Digits` knows only ASCII digits (the reference: every
 * numeric character, Unicode N), and the white space of `ByteLevel` is JavaScript's (which has U+FEFF and lacks
 * U+0085). Both are expressible as a `Split` by a Unicode regular expression, which it does reproduce.
 */
import { join } from 'node:path'
import { SetupError } from '../errors.js'
import { isObject, type JsonObject, readJsonObject } from './json-file.js'

export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Dropped from decoded text. */
  readonly special: boolean
}

export interface TokenizerJson {
  /** The whole object, for the library. */
  readonly json: JsonObject
  readonly addedTokens: readonly AddedToken[]
  /** Largest id + 1. */
  readonly vocabularySize: number
  /** UTF-8 bytes of the longest token. */
  readonly longestToken: number
}

/** GPT-2's pre-tokenization (openai/gpt-2, src/encoder.py), which `ByteLevel` with `use_regex` stands for. */
const gpt2Words = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

/** Whisper's timestamp tokens are not marked special, but are no text either. */
const timestamp = /^<\|\d+\.\d\d\|>$/

/** Reads and checks `folder/tokenizer.json`; SetupError when it is missing, corrupt or of another kind than byte-level BPE. */
export function readTokenizerJson(folder: string): TokenizerJson {
  const path = join(folder, 'tokenizer.json')
  const json = readJsonObject(folder, 'tokenizer.json')
  const { model, decoder } = json
  if (!isObject(model) || !isObject(model.vocab) || !Array.isArray(model.merges)) {
    throw new SetupError(`${path} has no BPE vocabulary with merges: fetch the file again.`)
  }
  if (!isObject(decoder) || decoder.type !== 'ByteLevel') {
    throw new SetupError(
      `${path} is not a byte-level BPE tokenizer, the only kind supported: choose another model.`,
    )
  }
  const addedTokens = (Array.isArray(json.added_tokens) ? json.added_tokens : []).map((entry: unknown) => {
    if (!isObject(entry) || !isId(entry.id) || typeof entry.content !== 'string' || entry.content === '') {
      throw new SetupError(`${path} has an added token without id or content: fetch the file again.`)
    }
    const { id, content } = entry
    return { id, content, special: entry.special === true || timestamp.test(content) }
  })
  let largest = -1
  let longestToken = 0
  for (const [token, id] of Object.entries(model.vocab)) {
    if (!isId(id))
      throw new SetupError(`${path} gives the token "${token}" the id ${id}: fetch the file again.`)
    largest = Math.max(largest, id)
    longestToken = Math.max(longestToken, token.length) // one character of the alphabet is one byte
  }
  for (const { id, content } of addedTokens) {
    largest = Math.max(largest, id)
    longestToken = Math.max(longestToken, Buffer.byteLength(content))
  }
  return {
    json: {
      ...json,
      added_tokens: json.added_tokens ?? [],
      normalizer: json.normalizer ?? null,
      pre_tokenizer: isObject(json.pre_tokenizer) ? exactForm(json.pre_tokenizer, path) : null,
      post_processor: null, // only ever adds tokens, which encode() does not
    },
    addedTokens,
    vocabularySize: largest + 1,
    longestToken,
  }
}

const isId = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0

const split = (regex: string): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
})

function exactForm(step: JsonObject, path: string): JsonObject {
  switch (step.type) {
    case 'Sequence': {
      const steps = Array.isArray(step.pretokenizers) ? step.pretokenizers.filter(isObject) : []
      return { ...step, pretokenizers: steps.map((inner) => exactForm(inner, path)) }
    }
    case 'Digits':
      return split(step.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`)
    case 'ByteLevel':
      if (step.use_regex === false || step.add_prefix_space === true) return step
      return { type: 'Sequence', pretokenizers: [split(gpt2Words), { ...step, use_regex: false }] }
    case 'Split':
      if (step.behavior === 'Isolated' || step.behavior === 'Removed') return step
      throw new SetupError(
        `${path} splits text by "${step.behavior}", which is not supported: choose another model.`,
      )
    default:
      return step
  }
}
