import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceError, SetupError } from '#src/errors.js'
import { loadTokenizer, type Tokenizer } from '#src/text/tokenizer.js'
import { Utf8Stream } from '#src/text/utf8-stream.js'
import { checkpoint, root } from '../root.js'

interface Case {
  text: string
  ids: number[]
}

const golden = <T>(path: string): T => JSON.parse(readFileSync(join(root, 'test/golden', path), 'utf8')) as T

const smollm = golden<{
  tokenizer: Case[]
  tokenizer_lossy: (Case & { decoded: string })[]
  chats: { name: string; prompt: string; prompt_ids: number[]; greedy_ids: number[]; greedy_text: string }[]
}>('smollm2/tokenizer.json')

function streamed(tokenizer: Tokenizer, ids: readonly number[], keepSpecial: boolean): string {
  const stream = new Utf8Stream()
  return ids.map((id) => stream.push(tokenizer.bytes(id, { keepSpecial }))).join('') + stream.end()
}

describe('tokenizer of SmolLM2', () => {
  const tokenizer = loadTokenizer(checkpoint('smollm2-135m-instruct'))

  it('has the reference vocabulary', () => {
    assert.equal(tokenizer.vocabularySize, 49152)
    assert.equal(tokenizer.id('<|im_end|>'), 2)
    assert.equal(tokenizer.id('no such token'), undefined)
  })

  for (const { text, ids } of smollm.tokenizer) {
    it(`encodes and decodes ${JSON.stringify(text).slice(0, 60)}`, () => {
      assert.deepEqual(tokenizer.encode(text), ids)
      assert.equal(tokenizer.decode(ids, { keepSpecial: true }), text)
      assert.equal(streamed(tokenizer, ids, true), text)
    })
  }

  for (const { text, ids, decoded } of smollm.tokenizer_lossy) {
    it(`drops what the vocabulary lacks of ${JSON.stringify(text)}`, () => {
      assert.deepEqual(tokenizer.encode(text), ids)
      assert.equal(tokenizer.decode(ids), decoded)
      assert.equal(streamed(tokenizer, ids, false), decoded)
    })
  }

  for (const { name, prompt, prompt_ids, greedy_ids, greedy_text } of smollm.chats) {
    it(`encodes the prompt and decodes the reply of the chat "${name}"`, () => {
      assert.deepEqual(tokenizer.encode(prompt), prompt_ids)
      assert.equal(tokenizer.decode(greedy_ids, { keepSpecial: true }), greedy_text)
    })
  }

  it('leaves special tokens out of text unless asked', () => {
    const ids = tokenizer.encode('<|im_start|>user\nHi<|im_end|>\n')
    assert.equal(tokenizer.decode(ids), 'user\nHi\n')
    assert.equal(streamed(tokenizer, ids, false), 'user\nHi\n')
    assert.deepEqual(tokenizer.bytes(2), new Uint8Array(0))
  })

  it('takes unknown ids as nothing', () => {
    assert.equal(tokenizer.decode([-1, 49152, 19556]), 'Hello')
    assert.equal(tokenizer.decode([]), '')
  })

  it('refuses a text that can not fit before any work', () => {
    const start = performance.now()
    assert.throws(
      () => tokenizer.encode('a'.repeat(25_000_000), 8192),
      (error) => error instanceof ServiceError && error.code === 'context_length_exceeded',
    )
    assert.ok(performance.now() - start < 1000)
    assert.deepEqual(tokenizer.encode('Hello, world!', 4), [19556, 28, 905, 17])
  })

  it('refuses a text that is far from fitting without encoding it whole', () => {
    const refused = (text: string) => {
      const start = process.cpuUsage()
      const least = /at least (\d+) tokens, more than the 8192/
      assert.throws(
        () => tokenizer.encode(text, 8192),
        (error) => error instanceof ServiceError && Number(least.exec(error.message)?.[1]) > 4 * 8192,
      )
      const { user, system } = process.cpuUsage(start)
      return (user + system) / 1e6
    }
    refused(Array.from({ length: 20_000 }, (_, i) => `word${(i * 7919) % 10007}`).join(' '))
    for (const word of ['x'.repeat(660_000), 'TWFueSBoYWkcw'.repeat(45_000)]) {
      const seconds = refused(word)
      assert.ok(seconds < 1, `${seconds} s`)
    }
    const fits = '='.repeat(8000) + 'x'.repeat(4000)
    assert.deepEqual(tokenizer.encode(fits, 8192), tokenizer.encode(fits))
    const nearly = 'word '.repeat(9000)
    assert.deepEqual(tokenizer.encode(nearly, 8192), tokenizer.encode(nearly), 'its tokens are counted')
  })

  it('encodes one long word in time linear in its length', () => {
    for (const character of ['a', ' ', '!']) {
      const ids = tokenizer.encode(character.repeat(100_000))
      assert.equal(tokenizer.decode(ids).length, 100_000)
    }
  }).timeout(20_000)
})

describe('tokenizer of Whisper', () => {
  const tokenizer = loadTokenizer(checkpoint('whisper-base'))
  const { texts } = golden<{ texts: { name: string; tokens: number[]; text: string }[] }>(
    'whisper/tokenizer.json',
  )

  it('has the reference vocabulary', () => {
    assert.equal(tokenizer.vocabularySize, 51865)
    assert.equal(tokenizer.id('<|startoftranscript|>'), 50258)
    assert.equal(tokenizer.id('<|0.00|>'), 50364)
  })

  for (const { name, tokens, text } of texts) {
    it(`decodes ${name}, without timestamps`, () => {
      assert.equal(tokenizer.decode(tokens).trim(), text)
      const plain = tokens.filter((id) => id < 50364)
      assert.deepEqual(tokenizer.encode(tokenizer.decode(tokens)), plain)
    })
  }

  it('keeps timestamps and special tokens when asked', () => {
    const ids = [50364, 400, 370, 50914, 50257]
    assert.equal(tokenizer.decode(ids, { keepSpecial: true }), '<|0.00|> And so<|11.00|><|endoftext|>')
    assert.deepEqual(tokenizer.encode('<|0.00|> And so<|11.00|><|endoftext|>'), ids)
  })
})

describe('tokenizer files', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenizer-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  // Bytes of " \ufeffb½" in the byte-level alphabet: Ġ ï » ¿ Â ½ b
  const vocab = { Ġ: 0, ï: 1, '»': 2, '¿': 3, Â: 4, '½': 5, b: 6, Ġï: 7, 'Â½': 8, '¿Â': 9, '½b': 10 }
  const merges = ['Ġ ï', '½ b', '¿ Â', 'Â ½']
  const valid = {
    model: { type: 'BPE', vocab, merges },
    decoder: { type: 'ByteLevel' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false },
      ],
    },
    added_tokens: [
      { id: 12, content: '<tool>', special: false },
      { id: 13, content: '<end>', special: true },
    ],
  }
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  const load = (tokenizer: unknown, config: unknown) => {
    if (tokenizer !== undefined) write('tokenizer.json', tokenizer)
    if (config !== undefined) write('tokenizer_config.json', config)
    return loadTokenizer(folder)
  }

  it('splits at Unicode numbers, and white space is Unicode’s, not JavaScript’s', () => {
    const tokenizer = load(valid, {})
    // U+FEFF is no white space, so that " \ufeff" is one piece and its Ġï merges; ½ is a number, a piece of its own.
    assert.deepEqual(tokenizer.encode(' \ufeffb½b'), [7, 2, 3, 6, 8, 6])
    assert.equal(tokenizer.decode([7, 2, 3, 6, 8, 6]), ' \ufeffb½b')
    assert.equal(tokenizer.decode([1, 2, 3, 6]), '\ufeffb')
  })

  it('shows added tokens that are not special', () => {
    const tokenizer = load(valid, {})
    assert.equal(tokenizer.vocabularySize, 14)
    assert.deepEqual(tokenizer.encode('<tool>b<end>'), [12, 6, 13])
    assert.equal(tokenizer.decode([12, 6, 11, 13]), '<tool>b')
    assert.equal(tokenizer.decode([12, 6, 13], { keepSpecial: true }), '<tool>b<end>')
  })

  it('leaves out added tokens that the network has no row for', () => {
    load(valid, {})
    const tokenizer = loadTokenizer(folder, 13)
    assert.deepEqual(
      [tokenizer.vocabularySize, tokenizer.id('<end>'), tokenizer.id('<tool>')],
      [13, undefined, 12],
    )
    assert.deepEqual(tokenizer.specialTokens, [])
    assert.equal(tokenizer.decode([13]), '')
    assert.ok(!tokenizer.encode('<end>').includes(13))
  })

  const split = { type: 'Split', pattern: { Regex: ' +' }, behavior: 'MergedWithNext' }
  const faults: [string, unknown, unknown, RegExp][] = [
    ['a missing tokenizer.json', undefined, {}, /tokenizer\.json is missing/],
    ['a missing tokenizer_config.json', valid, undefined, /tokenizer_config\.json is missing/],
    [
      'a truncated tokenizer.json',
      JSON.stringify(valid).slice(0, -9),
      {},
      /tokenizer\.json is not valid JSON/,
    ],
    ['a corrupt tokenizer_config.json', valid, '{"a":', /tokenizer_config\.json is not valid JSON/],
    ['a list for an object', '[]', {}, /tokenizer\.json is not a JSON object/],
    ['no model', { ...valid, model: null }, {}, /tokenizer\.json has no BPE vocabulary/],
    ['another kind', { ...valid, decoder: { type: 'Metaspace' } }, {}, /the decoder Metaspace/],
    ['an id that is none', { ...valid, model: { vocab: { a: 'x' }, merges: [] } }, {}, /token "a" the id x/],
    [
      'an id that takes too much',
      { ...valid, model: { vocab: { a: 2 ** 40 }, merges: [] } },
      {},
      /token "a" the id 1099511627776/,
    ],
    ['an added token without id', { ...valid, added_tokens: [{ content: 'x' }] }, {}, /added token/],
    [
      'an unknown pre-tokenizer',
      { ...valid, pre_tokenizer: { type: 'New' } },
      {},
      /tokenizer\.json has the pre-tokenizer New/,
    ],
    [
      'a pattern that is none',
      { ...valid, pre_tokenizer: { ...split, pattern: { Regex: '[' }, behavior: 'Isolated' } },
      {},
      /tokenizer\.json can not be used/,
    ],
    ['an inexact split', { ...valid, pre_tokenizer: split }, {}, /MergedWithNext/],
  ]
  for (const [name, tokenizer, config, message] of faults) {
    it(`refuses ${name}, naming the file`, () => {
      assert.throws(
        () => load(tokenizer, config),
        (error) =>
          error instanceof SetupError && error.message.includes(folder) && message.test(error.message),
      )
    })
  }
})
