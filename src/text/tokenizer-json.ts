/** tokenizer.json, checked and put into the terms that the JavaScript library reproduces exactly. */
import { join } from 'node:path'
import { SetupError } from '../errors.js'
import { isObject, type JsonObject, readJsonObject } from './json-file.js'
import { type TokenDecoder, tokenDecoder } from './tokenizer-decoder.js'
import { exactNormalizer, exactPreTokenizer } from './tokenizer-steps.js'

export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Dropped from decoded text. */
  readonly special: boolean
}

export interface TokenizerJson {
  /** The whole object, for the library. */
  readonly json: JsonObject
  /** The ids of all tokens, as the vocabulary writes them. */
  readonly ids: ReadonlyMap<string, number>
  readonly addedTokens: readonly AddedToken[]
  readonly decoder: TokenDecoder
  /** Largest id + 1. */
  readonly vocabularySize: number
  /** The most bytes of a text that one token stands for. */
  readonly longestToken: number
}

/** Whisper's timestamp tokens are not marked special, but are no text either. */
const timestamp = /^<\|\d+\.\d\d\|>$/

/**
 * Reads and checks `folder/tokenizer.json`, without the added tokens whose id is `rows` or more.
 * @throws SetupError when it is missing, corrupt or of another kind than BPE
 */
export function readTokenizerJson(folder: string, rows: number): TokenizerJson {
  const path = join(folder, 'tokenizer.json')
  const json = readJsonObject(folder, 'tokenizer.json')
  const vocabulary = bpeVocabulary(json.model, path)
  const decoder = tokenDecoder(json.decoder, path)
  const normalizer = exactNormalizer(json.normalizer, path)
  const listed: readonly unknown[] = Array.isArray(json.added_tokens) ? json.added_tokens : []
  const inRows = listed.filter((entry) => !(isObject(entry) && Number(entry.id) >= rows))
  const addedTokens = inRows.map((entry) => {
    if (!isObject(entry) || !isId(entry.id) || typeof entry.content !== 'string' || entry.content === '') {
      throw new SetupError(
        `${path} has an added token without content, or an id below ${mostIds}: fetch the file again.`,
      )
    }
    if (entry.single_word === true)
      throw new SetupError(
        `${path} adds ${JSON.stringify(entry.content)} as a single word, which is not supported: choose another model.`,
      )
    const { id, content } = entry
    return { id, content, special: entry.special === true || timestamp.test(content) }
  })
  const ids = new Map<string, number>()
  let largest = -1
  let longest = 0
  for (const [token, id] of vocabulary) {
    if (!isId(id))
      throw new SetupError(`${path} gives the token "${token}" the id ${id}: fetch the file again.`)
    ids.set(token, id)
    largest = Math.max(largest, id)
    longest = Math.max(longest, decoder.bytes(token).length)
  }
  for (const { id, content } of addedTokens) {
    ids.set(content, id)
    largest = Math.max(largest, id)
    longest = Math.max(longest, Buffer.byteLength(content))
  }
  return {
    json: {
      ...json,
      added_tokens: inRows,
      normalizer: normalizer.json,
      pre_tokenizer: exactPreTokenizer(json.pre_tokenizer, path),
      post_processor: null, // only ever adds tokens, which encode() does not
      decoder: null, // ours
    },
    ids,
    addedTokens,
    decoder,
    vocabularySize: largest + 1,
    longestToken: longest * normalizer.shrinks,
  }
}

/** The tokens of a BPE model with their ids. */
function bpeVocabulary(model: unknown, path: string): [token: string, id: unknown][] {
  if (isObject(model) && typeof model.type === 'string' && model.type !== 'BPE')
    throw new SetupError(
      `${path} is a ${model.type} tokenizer; the only kind supported is BPE: choose another model.`,
    )
  if (!isObject(model) || !isObject(model.vocab) || !Array.isArray(model.merges)) {
    throw new SetupError(`${path} has no BPE vocabulary with merges: fetch the file again.`)
  }
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if (model[key])
      throw new SetupError(
        `${path} has the ${key} ${JSON.stringify(model[key])}, which is not supported: choose another model.`,
      )
  return Object.entries(model.vocab)
}

/** Ten times the largest vocabularies: tables by id are as long as a file claims. */
const mostIds = 2 ** 22

const isId = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < mostIds
