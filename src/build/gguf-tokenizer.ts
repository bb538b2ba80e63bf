/** tokenizer.json and its companions as Hugging Face has them, from the metadata of a GGUF file. */
import { GgufKeys } from './gguf-keys.js'
import { scoredMerges } from './gguf-merges.js'
import { preTokenizations } from './gguf-pre-tokenizers.js'

type Json = Record<string, unknown>

/** Numbers of tokenizer.ggml.token_type. */
const types = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 }

/** Tokens that end a turn of a chat, in the templates' spellings; files name one of them at most. */
const turnEnds = [
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<|end|>',
  '<end_of_turn>',
  '<|end_of_text|>',
  '<|endoftext|>',
]

/**
 * The files of a tokenizer by name: tokenizer.json, tokenizer_config.json, generation_config.json.
 * @param path what messages call the checkpoint
 * @throws SetupError naming the key that is missing, or the kind of tokenizer that is not known
 */
export function ggufTokenizer(metadata: ReadonlyMap<string, unknown>, path: string): Record<string, Json> {
  const keys = new GgufKeys(metadata, path)
  const tokens = keys.needed(keys.texts('tokenizer.ggml.tokens'), 'tokenizer.ggml.tokens')
  const ids = (name: string): number | undefined => keys.tokenId(name, tokens.length)
  const token = (name: string): string | undefined => tokens[ids(name) ?? -1]
  const typeOf = keys.numbers('tokenizer.ggml.token_type') ?? []
  const ends = [
    ids('eos'),
    ids('eot'),
    ids('eom'),
    ...turnEnds.map((end) => controlToken(end, tokens, typeOf)),
  ]
  const config = {
    bos_token: token('bos'),
    eos_token: token('eos'),
    unk_token: token('unknown'),
    pad_token: token('padding'),
    add_bos_token: keys.flag('tokenizer.ggml.add_bos_token'),
    add_eos_token: keys.flag('tokenizer.ggml.add_eos_token'),
    chat_template: chatTemplates(keys),
    clean_up_tokenization_spaces: false,
  }
  const [temperature, topK, topP, penalty] = ['temp', 'top_k', 'top_p', 'penalty_repeat'].map((name) =>
    keys.number(`general.sampling.${name}`),
  )
  const generation = {
    bos_token_id: ids('bos'),
    eos_token_id: [...new Set(ends.filter((id) => id !== undefined))],
    pad_token_id: ids('padding'),
    temperature,
    top_k: topK,
    top_p: topP,
    repetition_penalty: penalty,
  }
  return {
    'tokenizer.json': tokenizerJson(keys, tokens, typeOf, token('unknown')),
    'tokenizer_config.json': config,
    'generation_config.json': generation,
  }
}

function controlToken(
  text: string,
  tokens: readonly string[],
  typeOf: readonly number[],
): number | undefined {
  const id = tokens.indexOf(text)
  return id >= 0 && typeOf[id] === types.control ? id : undefined
}

/** The template, or a list of named ones, as tokenizer_config.json has them. */
function chatTemplates(keys: GgufKeys): string | Json[] | undefined {
  const plain = keys.text('tokenizer.chat_template')
  const named = (keys.texts('tokenizer.chat_templates') ?? []).flatMap((name) => {
    const template = keys.text(`tokenizer.chat_template.${name}`)
    return template === undefined ? [] : [{ name, template }]
  })
  if (named.length === 0) return plain
  return plain === undefined ? named : [{ name: 'default', template: plain }, ...named]
}

function tokenizerJson(
  keys: GgufKeys,
  tokens: readonly string[],
  typeOf: readonly number[],
  unknown: string | undefined,
): Json {
  const kind = keys.needed(keys.text('tokenizer.ggml.model'), 'tokenizer.ggml.model')
  if (kind !== 'gpt2' && kind !== 'llama')
    throw keys.fault(
      `has a tokenizer of the kind ${kind}; supported are gpt2 and llama: choose another model`,
    )
  const parts = kind === 'gpt2' ? byteLevel(keys) : sentencePiece(keys, tokens, typeOf, unknown)
  const { model, whole, ...steps } = parts
  const added = tokens.flatMap((content, id) => {
    const type = typeOf[id]
    const special = type === types.control || type === types.unknown
    if (whole.has(id) || (!special && type !== types.userDefined)) return []
    return [
      {
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: stripsRight(keys, content, special),
        normalized: false,
        special,
      },
    ]
  })
  const vocab = Object.fromEntries(
    tokens.flatMap((token, id) => (typeOf[id] === types.unused ? [] : [[whole.get(id) ?? token, id]])),
  )
  return { version: '1.0', added_tokens: added, ...steps, model: { type: 'BPE', vocab, ...model } }
}

interface Parts {
  readonly model: Json
  /** Tokens by id that are no part of others and found in a text once its blanks are ▁, as they are written then. */
  readonly whole: ReadonlyMap<number, string>
  readonly normalizer: unknown
  readonly pre_tokenizer: unknown
  readonly decoder: Json
}

function byteLevel(keys: GgufKeys): Parts {
  const merges = keys.needed(keys.texts('tokenizer.ggml.merges'), 'tokenizer.ggml.merges')
  const pre = keys.needed(keys.text('tokenizer.ggml.pre'), 'tokenizer.ggml.pre')
  const known = Object.hasOwn(preTokenizations, pre) ? preTokenizations[pre] : undefined
  if (!known)
    throw keys.fault(
      `cuts text as ${pre} does, which is not known here (${Object.keys(preTokenizations).join(', ')} are): put the model's tokenizer.json and tokenizer_config.json beside it`,
    )
  return {
    normalizer: known.normalizer,
    pre_tokenizer: known.preTokenizer,
    decoder: { type: 'ByteLevel' },
    model: { merges, ignore_merges: known.ignoreMerges },
    whole: new Map(),
  }
}

/** The score that llama.cpp's converter gives to tokens that were added behind SentencePiece's own. */
const ADDED = -1000

/**
 * Control tokens and those that were added later cut a text in pieces, and each is a text of its own, before which
 * SentencePiece puts a blank: llama.cpp and most checkpoints' own tokenizer.json have it so. Those that SentencePiece was
 * given itself are found in the text with that blank, the longest first, and what is between them is merged.
 */
function sentencePiece(
  keys: GgufKeys,
  tokens: readonly string[],
  typeOf: readonly number[],
  unknown: string | undefined,
): Parts {
  const scores = keys.needed(keys.numbers('tokenizer.ggml.scores'), 'tokenizer.ggml.scores')
  const mergeable = (id: number) => (typeOf[id] ?? types.normal) === types.normal
  const given = (id: number) => typeOf[id] === types.userDefined && scores[id] !== ADDED && tokens[id] !== ''
  const whole = new Map(
    tokens.flatMap((token, id) => (given(id) ? [[id, token.replaceAll(' ', '▁')] as const] : [])),
  )
  const prefix = keys.flag('tokenizer.ggml.add_space_prefix') ?? true
  const blanks = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }
  const steps = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ]
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
  return {
    normalizer: prefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, blanks] }
      : blanks,
    pre_tokenizer: whole.size > 0 ? eachOf([...whole.values()]) : null,
    decoder: { type: 'Sequence', decoders: prefix ? [...steps, strip] : steps },
    model: {
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: whole.size > 0,
      merges: scoredMerges(tokens, scores, mergeable, (what) =>
        keys.fault(`${what}: the file is damaged, fetch it again`),
      ),
    },
    whole,
  }
}

/** Cuts out each of these texts, the longest where several begin. */
function eachOf(texts: readonly string[]): Json {
  const longestFirst = texts.toSorted((a, b) => b.length - a.length)
  const Regex = longestFirst.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }
}

/** Phi 3's special tokens swallow the white space behind them, which its files do not say (as in llama.cpp, by name). */
function stripsRight(keys: GgufKeys, content: string, special: boolean): boolean {
  if (keys.text('general.architecture') !== 'phi3' || keys.text('tokenizer.ggml.model') !== 'llama')
    return false
  return special && !['<unk>', '<s>', '<|endoftext|>'].includes(content)
}
