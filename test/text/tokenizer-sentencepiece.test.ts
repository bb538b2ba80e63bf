/** Tokenizers in the styles of SentencePiece's heirs, against the reference (PyPI `tokenizers`). */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import { TokenStream } from '#src/text/token-stream.js'
import { loadTokenizer, type Tokenizer } from '#src/text/tokenizer.js'
import { root } from '../root.js'

interface Case {
  text: string
  ids: number[]
  decoded: string
  kept: string
  /** The last ids alone, as a reply has them; absent where they begin within a character. */
  tail?: number
  decodedTail?: string
}
interface Variant {
  cases: Case[]
  [part: string]: unknown
}
const golden: { model: { vocab: Record<string, number> }; variants: Record<string, Variant> } = JSON.parse(
  readFileSync(join(root, 'test/golden/tokenizers/sentencepiece.json'), 'utf8'),
)

describe('tokenizers of SentencePiece’s heirs', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenizer-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const load = (tokenizer: object): Tokenizer => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
    writeFileSync(join(folder, 'tokenizer_config.json'), '{}')
    return loadTokenizer(folder)
  }
  const style = (name: string, changes: object = {}): Tokenizer => {
    const { cases, ...parts } = golden.variants[name]!
    return load({ version: '1.0', ...parts, model: golden.model, ...changes })
  }
  const streamed = (tokenizer: Tokenizer, ids: readonly number[], keepSpecial = false): string => {
    const stream = new TokenStream(tokenizer)
    return ids.map((id) => stream.push(id, { keepSpecial })).join('') + stream.end()
  }

  for (const [name, { cases }] of Object.entries(golden.variants))
    it(`${name}: encodes and decodes as the reference`, () => {
      const tokenizer = style(name)
      for (const { text, ids, decoded, kept, tail, decodedTail } of cases) {
        assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text))
        assert.equal(tokenizer.decode(ids), decoded)
        assert.equal(streamed(tokenizer, ids), decoded)
        assert.equal(tokenizer.decode(ids, { keepSpecial: true }), kept)
        assert.equal(streamed(tokenizer, ids, true), kept)
        if (tail === undefined) continue
        assert.equal(tokenizer.decode(ids.slice(-tail || ids.length)), decodedTail)
        assert.equal(streamed(tokenizer, ids.slice(-tail || ids.length)), decodedTail)
      }
    })

  it('gives bytes for bytes, blanks for ▁ and nothing for special tokens', () => {
    const tokenizer = style('Llama 2')
    const { vocab } = golden.model
    assert.deepEqual([...tokenizer.bytes(vocab['<0xE2>']!)], [0xe2])
    assert.equal(Buffer.from(tokenizer.bytes(vocab['▁the']!)).toString(), ' the')
    assert.equal(tokenizer.bytes(vocab['</s>']!).length, 0)
    assert.equal(tokenizer.leadingBlanks, 1)
    assert.equal(style('Gemma 3').leadingBlanks, 0)
  })

  it('puts a character together from its bytes, and shows one that is cut', () => {
    const tokenizer = style('Llama 2')
    const bytes = [0xf0, 0x9f, 0x98, 0x80].map(
      (byte) => tokenizer.id(`<0x${byte.toString(16).toUpperCase()}>`)!,
    )
    const stream = new TokenStream(tokenizer)
    assert.deepEqual(
      bytes.map((id) => stream.push(id)),
      ['', '', '', '😀'],
    )
    assert.equal(streamed(tokenizer, bytes.slice(0, 2)), '\ufffd')
  })

  it('takes one blank from the start, whichever token brings it, and no other', () => {
    const tokenizer = style('Llama 2')
    const ids = ['</s>', '▁', '▁the', '▁the'].map((token) => tokenizer.id(token)!)
    assert.equal(streamed(tokenizer, ids), ' the the')
    assert.equal(tokenizer.decode(ids), ' the the')
    assert.equal(tokenizer.decode(ids, { keepSpecial: true }), '</s>  the the')
    const late = ['a', '▁the'].map((token) => tokenizer.id(token)!)
    assert.equal(streamed(tokenizer, late), 'a the')
  })

  it('encodes a long text without blanks in time linear in its length', () => {
    const tokenizer = style('Llama 2')
    for (const character of ['a', ' ', '漢'])
      assert.equal(tokenizer.decode(tokenizer.encode(character.repeat(50_000))).length, 50_000)
  }).timeout(20_000)

  const model = { ...golden.model }
  const refusals: [string, object, RegExp][] = [
    [
      'Unigram',
      { model: { type: 'Unigram', vocab: [['a', 0]] } },
      /is a Unigram tokenizer; the only kind supported is BPE/,
    ],
    ['WordPiece', { model: { type: 'WordPiece', vocab: { a: 0 } } }, /is a WordPiece tokenizer/],
    [
      'a prefix of pieces',
      { model: { ...model, continuing_subword_prefix: '##' } },
      /continuing_subword_prefix "##"/,
    ],
    ['a decoder of another kind', { decoder: { type: 'WordPiece' } }, /the decoder WordPiece/],
    [
      'Strip of single tokens',
      { decoder: { type: 'Sequence', decoders: [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] } },
      /Sequence with .*Strip/,
    ],
    ['no decoder', { decoder: null }, /the decoder none/],
    ['a compiled character map', { normalizer: { type: 'Precompiled' } }, /the normalizer Precompiled/],
    [
      'replacement by an expression',
      { normalizer: { type: 'Replace', pattern: { Regex: ' +' }, content: '▁' } },
      /regular expression/,
    ],
    ['another pre-tokenizer', { pre_tokenizer: { type: 'Whitespace' } }, /the pre-tokenizer Whitespace/],
    [
      'groups in what is removed',
      { pre_tokenizer: { type: 'Split', pattern: { Regex: '( )' }, behavior: 'Removed' } },
      /by "Removed"/,
    ],
    [
      'single words',
      { added_tokens: [{ id: 600, content: 'x', single_word: true }] },
      /"x" as a single word/,
    ],
  ]
  for (const [name, changes, message] of refusals)
    it(`refuses ${name}, by name`, () => {
      assert.throws(
        () => style('Llama 2', changes),
        (error) =>
          error instanceof SetupError && error.message.includes(folder) && message.test(error.message),
      )
    })
})
