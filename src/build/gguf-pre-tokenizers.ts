/**
 * How text is cut before its pieces are encoded, by the names that `tokenizer.ggml.pre` has: the regular expressions
 * of the models' own tokenizer.json, which llama.cpp (src/llama-vocab.cpp) knows by these names.
 */
type Json = Readonly<Record<string, unknown>>

export interface PreTokenization {
  readonly preTokenizer: Json
  readonly normalizer: Json | null
  /** A piece that is a token is taken as it is, whether merges lead to it or not. */
  readonly ignoreMerges: boolean
}

const contractions = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`
const words = (numbers: string) =>
  String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
/** Words end where a capital follows a small letter. */
const cased = (ending: string, numbers: string) =>
  [`${upper}*${lower}+`, `${upper}+${lower}*`]
    .map((letters) => String.raw`[^\r\n\p{L}\p{N}]?${letters}${ending}`)
    .join('|') + String.raw`|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${spaces}`

const split = (regex: string): Json => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
})
const byteLevel = (use_regex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
})
const sequence = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers })
const by = (
  regex: string,
  { normalizer = null, ignoreMerges = false }: Partial<PreTokenization> = {},
): PreTokenization => ({ preTokenizer: sequence(split(regex), byteLevel(false)), normalizer, ignoreMerges })

const one = String.raw`\p{N}`
const three = String.raw`\p{N}{1,3}`
const nfc = { type: 'NFC' }
const gpt2: PreTokenization = { preTokenizer: byteLevel(true), normalizer: null, ignoreMerges: false }
const digits: PreTokenization = {
  ...gpt2,
  preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
}
const llama3 = by(words(three), { ignoreMerges: true })
const qwen2 = by(words(one), { normalizer: nfc })

export const preTokenizations: Readonly<Record<string, PreTokenization>> = {
  'gpt-2': gpt2,
  'phi-2': gpt2,
  olmo: gpt2,
  smollm: digits,
  starcoder: digits,
  refact: digits,
  codeshell: digits,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  falcon3: llama3,
  pixtral: llama3,
  'smaug-bpe': by(words(three)),
  dbrx: by(words(three)),
  qwen2,
  'deepseek-r1-qwen': qwen2,
  stablelm2: by(words(one)),
  tekken: by(cased('', one), { ignoreMerges: true }),
  'gpt-4o': by(cased(`${contractions}?`, three)),
}
