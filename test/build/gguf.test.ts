/** config.json and tokenizer.json from the metadata of GGUF files that no test can hold. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ggufConfig } from '#src/build/gguf-config.js'
import { scoredMerges } from '#src/build/gguf-merges.js'
import { preTokenizations } from '#src/build/gguf-pre-tokenizers.js'
import { ggufTokenizer } from '#src/build/gguf-tokenizer.js'
import type { Checkpoint } from '#src/checkpoint/checkpoint.js'
import type { CheckpointTensor } from '#src/checkpoint/tensor.js'
import { SetupError } from '#src/errors.js'
import { parseLlamaConfig } from '#src/models/llama/config.js'
import { ropeFrequencies } from '#src/models/llama/rope.js'
import { loadTokenizer } from '#src/text/tokenizer.js'

/** A checkpoint of metadata, and tensors of these values or dimensions. */
function checkpoint(
  metadata: Record<string, unknown>,
  tensors: Record<string, Float32Array | number[]> = {},
): Checkpoint {
  return {
    names: Object.keys(tensors),
    has: (name) => name in tensors,
    tensor: (name) => {
      const found = tensors[name]!
      const dims = found instanceof Float32Array ? [found.length] : found
      return { name, dims, storage: 'F32', floats: () => found, quantised: () => null } as CheckpointTensor
    },
    metadata: new Map(Object.entries(metadata)),
    [Symbol.dispose]: () => {},
  }
}

const shape = (architecture: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  'general.architecture': architecture,
  ...Object.fromEntries(
    Object.entries({
      block_count: 4,
      context_length: 8192,
      embedding_length: 64,
      feed_forward_length: 96,
      'attention.head_count': 4,
      'attention.head_count_kv': 2,
      'attention.layer_norm_rms_epsilon': Math.fround(1e-6),
      'rope.freq_base': 1e6,
      ...more,
    }).map(([key, value]) => [`${architecture}.${key}`, value]),
  ),
})
const refused = (message: RegExp) => (error: unknown) =>
  error instanceof SetupError && message.test(error.message)

describe('build/gguf-config', () => {
  it('reads sizes, heads and ties', () => {
    const config = ggufConfig(
      checkpoint(shape('qwen3', { 'attention.key_length': 32, 'attention.value_length': 32 }), {
        'token_embd.weight': [151_936, 64],
        'output.weight': [151_936, 64],
      }),
      'x',
    )
    const { model_type, vocab_size, head_dim, tie_word_embeddings, rms_norm_eps, rope_theta, rope_scaling } =
      config
    assert.deepEqual(
      [model_type, vocab_size, head_dim, tie_word_embeddings, rms_norm_eps, rope_theta, rope_scaling],
      ['qwen3', 151_936, 32, false, 1e-6, 1e6, null],
    )
  })

  it('knows of Gemma 3 what its files do not say', () => {
    const more = {
      'attention.key_length': 256,
      'attention.value_length': 256,
      'attention.sliding_window': 512,
    }
    const scaling = { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 8 }
    const config = ggufConfig(checkpoint(shape('gemma3', { ...more, ...scaling, block_count: 6 })), 'x')
    assert.equal(config.model_type, 'gemma3_text')
    assert.equal(config.hidden_activation, 'gelu_pytorch_tanh')
    assert.deepEqual([config.query_pre_attn_scalar, config.sliding_window], [256, 512])
    assert.deepEqual(config.rope_scaling, { rope_type: 'linear', factor: 8 })
    const { layerKinds, attentionCap } = parseLlamaConfig({ ...config, vocab_size: 96 }, 'x')
    const [every, sixth] = [layerKinds[4]!, layerKinds[5]!]
    assert.deepEqual(
      [every.window, every.rope!.theta, sixth.window, sixth.rope!.theta],
      [512, 1e4, null, 1e6],
    )
    assert.equal(attentionCap, null)
    const largest = { ...more, block_count: 62, embedding_length: 5376, 'attention.head_count': 32 }
    assert.equal(ggufConfig(checkpoint(shape('gemma3', largest)), 'x').query_pre_attn_scalar, 168)
  })

  it('is what the family reads', () => {
    const gemma = {
      'attention.key_length': 256,
      'attention.sliding_window': 512,
      'attention.value_length': 256,
    }
    const read = (arch: string, more = {}, tensors = {}) =>
      parseLlamaConfig(
        ggufConfig(checkpoint(shape(arch, more), { 'token_embd.weight': [80, 64], ...tensors }), 'x'),
        'x',
      )
    const capped = { ...gemma, attn_logit_softcapping: 50, final_logit_softcapping: 30 }
    const two = read('gemma2', capped)
    assert.deepEqual([two.attentionCap, two.logitCap, two.attentionScale], [50, 30, 256 ** -0.5])
    assert.deepEqual(
      two.layerKinds.map(({ window }) => window),
      [512, null, 512, null],
    )
    const { 'attention.sliding_window': _, ...without } = capped
    assert.equal(read('gemma2', without).layerKinds[0]!.window, 4096)
    const three = read('gemma3', { ...gemma, block_count: 6 })
    assert.deepEqual(
      [three.attentionCap, three.logitCap, three.headNorms, three.tied],
      [null, null, true, true],
    )
    assert.deepEqual(
      three.layerKinds.map(({ window, rope }) => [window, rope?.theta]),
      [...new Array(5).fill([512, 1e4]), [null, 1e6]],
    )
    const flags = [true, false, false, true]
    const listed = read('gemma3', { ...gemma, 'attention.sliding_window_pattern': flags })
    assert.deepEqual(
      listed.layerKinds.map(({ window }) => window),
      [512, null, null, 512],
    )
    const factors = new Float32Array(8).fill(1)
    const rope = { 'rope_factors_long.weight': factors, 'rope_factors_short.weight': factors }
    const phi = read(
      'phi3',
      { 'rope.scaling.original_context_length': 4096, 'rope.scaling.attn_factor': 1.19 },
      rope,
    )
    assert.deepEqual([phi.fused, phi.context], [true, 4096])
    assert.equal(read('smollm3').layerKinds[3]!.rope, null)
    assert.equal(read('llama', { 'attention.sliding_window': 64 }).layerKinds[0]!.window, 64)
    assert.equal(read('qwen2').biases.qkv, true)
    assert.equal(read('qwen3').headNorms, true)
    assert.throws(() => read('llama', { expert_count: 8 }), refused(/num_local_experts 8/))
  })

  it('reads YaRN, longrope, and windows of Mistral', () => {
    const yarn = {
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': 4,
      'rope.scaling.original_context_length': 2048,
    }
    assert.deepEqual(ggufConfig(checkpoint(shape('qwen2', yarn)), 'x').rope_scaling, {
      rope_type: 'yarn',
      factor: 4,
      original_max_position_embeddings: 2048,
    })
    const factors = {
      'rope_factors_long.weight': Float32Array.of(1.5, 2),
      'rope_factors_short.weight': Float32Array.of(1, 1),
    }
    const phi = ggufConfig(
      checkpoint(shape('phi3', { 'rope.scaling.original_context_length': 4096 }), factors),
      'x',
    )
    assert.deepEqual(phi.rope_scaling, { rope_type: 'longrope', long_factor: [1.5, 2], short_factor: [1, 1] })
    assert.equal(phi.original_max_position_embeddings, 4096)
    const mistral = ggufConfig(checkpoint(shape('llama', { 'attention.sliding_window': 4096 })), 'x')
    assert.deepEqual([mistral.model_type, mistral.sliding_window], ['mistral', 4096])
  })

  it("takes the frequencies of Llama 3's scaling as they are", () => {
    const plain = { theta: 5e5, width: 16, context: 8192, scaling: { type: 'none' } } as const
    const scaling = { type: 'llama3', factor: 32, lowFrequency: 1, highFrequency: 4, original: 8192 } as const
    const wanted = ropeFrequencies({ ...plain, scaling })
    const divisors = ropeFrequencies(plain).map((value, i) => value / wanted[i]!)
    const of = shape('llama', { 'rope.freq_base': 5e5, context_length: 131072 })
    const config = ggufConfig(checkpoint(of, { 'rope_freqs.weight': divisors }), 'x')
    const { layerKinds, context } = parseLlamaConfig({ ...config, vocab_size: 96 }, 'x')
    assert.equal(context, 131072)
    const actual = ropeFrequencies(layerKinds[0]!.rope!)
    for (const [i, frequency] of wanted.entries())
      assert.ok(Math.abs(actual[i]! / frequency - 1) < 1e-6, `pair ${i}: ${actual[i]} is not ${frequency}`)
  })

  it('names what is missing, differs between layers, or has no place in config.json', () => {
    const { 'llama.block_count': _, ...lacking } = shape('llama')
    assert.throws(() => ggufConfig(checkpoint(lacking), 'x'), refused(/^x has no llama\.block_count/))
    const varied = shape('llama', { feed_forward_length: [96, 128] })
    assert.throws(
      () => ggufConfig(checkpoint(varied), 'x'),
      refused(/different llama\.feed_forward_length \(96, 128/),
    )
    const unequal = shape('llama', { 'attention.key_length': 16, 'attention.value_length': 32 })
    assert.throws(() => ggufConfig(checkpoint(unequal), 'x'), refused(/keys of 16 and values of 32/))
    const text = shape('llama', { block_count: 'four' })
    assert.throws(() => ggufConfig(checkpoint(text), 'x'), refused(/block_count that is no number/))
    assert.equal(ggufConfig(checkpoint(shape('llama', { expert_count: 8 })), 'x').num_local_experts, 8)
    assert.equal(
      ggufConfig(checkpoint(shape('phi3', { 'rope.dimension_count': 12 })), 'x').partial_rotary_factor,
      0.75,
    )
  })
})

describe('build/gguf-tokenizer', () => {
  const tokens = ['<|endoftext|>', '<|im_end|>', 'a', 'b', 'ab', '<tool>', '[PAD]']
  const types = [3, 3, 1, 1, 1, 4, 5]
  const metadata = (more: Record<string, unknown> = {}) =>
    new Map<string, unknown>(
      Object.entries({
        'general.architecture': 'qwen2',
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': 'qwen2',
        'tokenizer.ggml.tokens': tokens,
        'tokenizer.ggml.token_type': types,
        'tokenizer.ggml.merges': ['a b'],
        'tokenizer.ggml.eos_token_id': 0,
        ...more,
      }),
    )
  const made = (more?: Record<string, unknown>) => ggufTokenizer(metadata(more), 'x')
  const loaded = (more: Record<string, unknown>) => {
    const folder = mkdtempSync(join(tmpdir(), 'gguf-'))
    try {
      for (const [name, content] of Object.entries(made(more)))
        writeFileSync(join(folder, name), JSON.stringify(content))
      return loadTokenizer(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('takes ends of turns among the control tokens for ends of replies, and the sampling that the file proposes', () => {
    const generation = made({ 'general.sampling.temp': 0.5, 'general.sampling.top_k': 20 })[
      'generation_config.json'
    ]!
    assert.deepEqual(generation.eos_token_id, [0, 1])
    assert.deepEqual([generation.temperature, generation.top_k], [0.5, 20])
    const beyond = made({
      'tokenizer.ggml.eos_token_id': tokens.length,
      'tokenizer.ggml.padding_token_id': -1,
    })
    assert.deepEqual(beyond['generation_config.json']!.eos_token_id, [1, 0])
    assert.equal(beyond['generation_config.json']!.pad_token_id, undefined)
    const { eos_token_id } = ggufConfig(
      checkpoint({ ...shape('llama'), 'tokenizer.ggml.eos_token_id': 80 }, { 'token_embd.weight': [80, 64] }),
      'x',
    )
    assert.equal(eos_token_id, null)
    const plain = made({ 'tokenizer.ggml.token_type': [3, 1, 1, 1, 1, 4, 5] })['generation_config.json']!
    assert.deepEqual(plain.eos_token_id, [0])
  })

  it('tells special tokens from added ones, and leaves out the unused', () => {
    const json = made()['tokenizer.json']!
    const added = (json.added_tokens as { content: string; special: boolean }[]).map(
      ({ content, special }) => [content, special],
    )
    assert.deepEqual(added, [
      ['<|endoftext|>', true],
      ['<|im_end|>', true],
      ['<tool>', false],
    ])
    assert.ok(!('[PAD]' in (json.model as { vocab: object }).vocab))
    assert.deepEqual(json.normalizer, { type: 'NFC' })
  })

  it('takes named templates along', () => {
    const config = made({
      'tokenizer.chat_template': 'plain',
      'tokenizer.chat_templates': ['tool_use'],
      'tokenizer.chat_template.tool_use': 'tools',
    })['tokenizer_config.json']!
    assert.deepEqual(config.chat_template, [
      { name: 'default', template: 'plain' },
      { name: 'tool_use', template: 'tools' },
    ])
    assert.equal(
      made({ 'tokenizer.chat_template': 'plain' })['tokenizer_config.json']!.chat_template,
      'plain',
    )
  })

  /** A tokenizer of SentencePiece's kind: normal tokens, then those that were given to it or added later. */
  const spm = (given: Record<string, number>, prefix: boolean) => {
    const normal = ['<unk>', '▁', 'a', 'b', '▁a', '▁b', 't']
    return loaded({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': [...normal, ...Object.keys(given)],
      'tokenizer.ggml.token_type': [2, 1, 1, 1, 1, 1, 1, ...Object.keys(given).map(() => 4)],
      'tokenizer.ggml.scores': [0, -1, -2, -3, -4, -5, -6, ...Object.values(given)],
      'tokenizer.ggml.unknown_token_id': 0,
      'tokenizer.ggml.add_space_prefix': prefix,
    })
  }

  it('finds the tokens that SentencePiece was given in the text with its blanks', () => {
    const { encode, decode } = spm({ '  ': 0, '<a t>': 0, '<a t>+': 0 }, true)
    assert.deepEqual(encode('a  b'), [4, 7, 3])
    assert.deepEqual(encode('a<a t>b'), [4, 8, 3])
    assert.deepEqual(encode('<a t>+b'), [1, 9, 3])
    for (const text of ['a  b', 'a<a t>b', '<a t>+b']) assert.equal(decode(encode(text)), text)
  })

  it('cuts text at tokens that were added later, of blanks also, as llama.cpp does', () => {
    const added = { '  ': -1000, '<t>': -1000 }
    const prefixed = spm(added, true)
    assert.deepEqual(prefixed.encode('a<t>b'), [4, 8, 5])
    assert.deepEqual(prefixed.encode('<t>'), [8])
    const plain = spm(added, false)
    assert.deepEqual(plain.encode('a  b'), [2, 7, 3])
    assert.deepEqual(plain.encode('a<t>b'), [2, 8, 3])
    assert.equal(plain.decode([2, 7, 3]), 'a  b')
  })

  it('lets the special tokens of Phi 3 swallow white space', () => {
    const phi = {
      'general.architecture': 'phi3',
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['<s>', '<|end|>', '<tool>'],
      'tokenizer.ggml.token_type': [3, 3, 4],
      'tokenizer.ggml.scores': [0, 0, -1000],
    }
    const added = made(phi)['tokenizer.json']!.added_tokens as { rstrip: boolean }[]
    assert.deepEqual(
      added.map(({ rstrip }) => rstrip),
      [false, true, false],
    )
  })

  it('names the tokenizers that are not known', () => {
    assert.throws(
      () => made({ 'tokenizer.ggml.model': 't5' }),
      refused(/^x has a tokenizer of the kind t5; supported are gpt2 and llama/),
    )
    assert.throws(
      () => made({ 'tokenizer.ggml.pre': 'default' }),
      refused(/^x cuts text as default does, .*llama-bpe/),
    )
    assert.throws(() => made({ 'tokenizer.ggml.pre': undefined }), refused(/^x has no tokenizer\.ggml\.pre/))
    assert.throws(() => made({ 'tokenizer.ggml.pre': 'constructor' }), refused(/constructor/))
    assert.throws(() => made({ 'tokenizer.ggml.tokens': [1] }), refused(/tokens that is no list of texts/))
  })

  it('orders merges by score, then by halves', () => {
    const pieces = ['a', 'b', 'ab', 'ba', 'aba', '<x>']
    const scores = [-9, -9, -2, -1, -3, 0]
    assert.deepEqual(
      scoredMerges(pieces, scores, (id) => id < 5, Error),
      [
        ['b', 'a'],
        ['a', 'b'],
        ['ab', 'a'],
        ['a', 'ba'],
      ],
    )
  })

  it('is bounded, whatever vocabulary a file claims', () => {
    const merging = (tokens: string[]) =>
      made({
        'tokenizer.ggml.model': 'llama',
        'tokenizer.ggml.tokens': tokens,
        'tokenizer.ggml.token_type': tokens.map(() => 1),
        'tokenizer.ggml.scores': tokens.map(() => 0),
      })
    const begun = performance.now()
    assert.throws(
      () => merging(['a', 'a'.repeat(200_000)]),
      refused(/^x has longer tokens .* 200000 letters/),
    )
    const runs = (letter: number) =>
      Array.from({ length: 20 }, (_, i) => String.fromCharCode(letter).repeat(i + 1))
    const alike = Array.from({ length: 12_000 }, (_, i) => runs(300 + i)).flat()
    assert.throws(() => merging(alike), refused(/^x has tokens that are made of each other in too many ways/))
    assert.ok(performance.now() - begun < 20_000)
    const { merges } = merging(['a', 'a'.repeat(500), 'a'.repeat(501)])['tokenizer.json']!.model as {
      merges: unknown[]
    }
    assert.equal(merges.length, 2, 'the longest that SentencePiece makes are welcome')
  })

  const ignoreMerges = ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'tekken']
  for (const pre of Object.keys(preTokenizations))
    it(`cuts text as ${pre} does, losing nothing, numbers apart from words`, () => {
      const bytes = Array.from({ length: 256 }, (_, byte) => byte)
      const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
      const others = bytes.filter((byte) => !printable(byte))
      const alphabet = bytes.map((byte) =>
        String.fromCharCode(printable(byte) ? byte : 256 + others.indexOf(byte)),
      )
      const tokenizer = loaded({
        'tokenizer.ggml.pre': pre,
        'tokenizer.ggml.tokens': [...alphabet, 'a1', 'ab', 'Ġa', 'abc'],
        'tokenizer.ggml.token_type': new Array(260).fill(1),
        'tokenizer.ggml.merges': ['a 1', 'a b', 'Ġ a'],
      })
      const text = "It's 12345 ab1,\r\n\n  déjà VU's  end\t漢字 😀 \u0085\ufeff"
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text)
      assert.deepEqual(tokenizer.encode('a1 a'), [97, 49, 258])
      assert.deepEqual(tokenizer.encode('abc'), ignoreMerges.includes(pre) ? [259] : [257, 99])
    })
})
