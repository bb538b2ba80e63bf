import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  isLlamaFamily,
  type LlamaConfig,
  parseLlamaConfig,
  readLlamaConfig,
} from '#src/models/llama/config.js'
import { newFolder, smollm2 } from './engine.js'
import { type Config, miniature, miniatures } from './tiny.js'

const parse = (json: Config) => parseLlamaConfig(json, 'config.json')
const configOf = (name: string): Config => miniature(name).config
const llama = configOf('Llama 2')
const mistral = configOf('Mistral, windows')
const qwen2 = configOf('Qwen 2')
const gemma2 = configOf('Gemma 2')
const gemma3 = configOf('Gemma 3')
const phi = configOf('Phi 4 mini')
const windows = ({ layerKinds }: LlamaConfig) => layerKinds.map(({ window }) => window)
const thetas = ({ layerKinds }: LlamaConfig) => layerKinds.map(({ rope }) => rope?.theta ?? null)
const without = (json: Config, ...keys: string[]): Config =>
  Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)))

describe('models/llama/config', () => {
  it('reads the embedded checkpoint', () => {
    const config = readLlamaConfig(smollm2)
    const { layers, hidden, heads, kvHeads, headDim, context, layerKinds, tied } = config
    assert.deepEqual([layers, hidden, heads, kvHeads, headDim, context], [30, 576, 9, 3, 64, 8192])
    assert.equal(new Set(layerKinds).size, 1)
    assert.deepEqual(layerKinds[29], {
      window: null,
      rope: { theta: 1e5, width: 64, scaling: { type: 'none' }, context: 8192 },
    })
    assert.equal(tied, true)
  })

  it("knows each type's own rules", () => {
    const absent = without(llama, 'num_key_value_heads')
    assert.equal(parse(absent).tied, null)
    assert.equal(parse(absent).kvHeads, 4)
    assert.throws(() => parse({ ...absent, model_type: 'qwen2' }), /num_key_value_heads/)
    assert.deepEqual(parse(qwen2).biases, { qkv: true, output: false, mlp: false })
    assert.deepEqual(parse({ ...mistral, attention_bias: true }).biases.qkv, false)
    assert.equal(parse({ ...llama, model_type: 'qwen3' }).headDim, 128)
    assert.equal(parse({ ...llama, model_type: 'qwen3' }).headNorms, true)
    assert.equal(parse(llama).attentionScale, 0.25)
    assert.equal(parse(configOf('Gemma 3, capped')).attentionScale, 48 ** -0.5)
    assert.deepEqual([parse(gemma2).attentionCap, parse(gemma2).logitCap], [1, 2])
    const uncapped = parse({ ...gemma2, attn_logit_softcapping: null, final_logit_softcapping: null })
    assert.deepEqual([uncapped.attentionCap, uncapped.logitCap], [null, null])
  })

  it('has the defaults of Gemma 3 where only a few sizes are given, as beside pictures', () => {
    const text_config = {
      model_type: 'gemma3_text',
      hidden_size: 2560,
      intermediate_size: 10240,
      num_hidden_layers: 34,
      sliding_window: 1024,
      rope_scaling: { factor: 8, rope_type: 'linear' },
    }
    const config = parse({ model_type: 'gemma3', text_config, vision_config: {}, torch_dtype: 'bfloat16' })
    const { heads, kvHeads, headDim, vocabulary, context, epsilon, activation, tied } = config
    assert.deepEqual([heads, kvHeads, headDim, vocabulary], [8, 4, 256, 262208])
    assert.deepEqual([context, epsilon, activation, tied], [131072, 1e-6, 'gelu-tanh', null])
    assert.deepEqual(windows(config).slice(0, 7), [1024, 1024, 1024, 1024, 1024, null, 1024])
    assert.deepEqual(thetas(config).slice(4, 7), [1e4, 1e6, 1e4])
    assert.equal(new Set(config.layerKinds).size, 2)
    // √2560 = 50.596 in eight binary digits; √1152 = 33.94.
    assert.equal(config.embeddingScale, 50.5)
    assert.equal(parse({ ...gemma3, hidden_size: 1152, dtype: 'bfloat16' }).embeddingScale, 34)
    assert.equal(parse({ ...gemma3, hidden_size: 1152 }).embeddingScale, Math.fround(Math.sqrt(1152)))
  })

  it('has windows where the type has them', () => {
    assert.deepEqual(windows(parse(mistral)), [8, 8])
    assert.deepEqual(windows(parse(without(mistral, 'sliding_window'))), [null, null])
    const long = { ...without(mistral, 'sliding_window'), max_position_embeddings: 32768 }
    assert.deepEqual(windows(parse(long)), [4096, 4096])
    assert.deepEqual(windows(parse({ ...mistral, sliding_window: 128 })), [null, null])
    assert.deepEqual(windows(parse(configOf('Qwen 2, windows'))), [null, 8, 8])
    assert.deepEqual(windows(parse({ ...configOf('Qwen 2, windows'), use_sliding_window: false })), [
      null,
      null,
      null,
    ])
    assert.deepEqual(windows(parse(gemma2)), [8, null])
    assert.deepEqual(windows(parse(gemma3)), [8, 8, 8, 8, 8, null])
    const sooner = { ...gemma3, sliding_window_pattern: 3 }
    assert.deepEqual(windows(parse(sooner)), [8, 8, null, 8, 8, null])
    assert.deepEqual(windows(parse(configOf('Gemma 3, capped'))), [null, 8, null])
    assert.deepEqual(windows(parse({ ...llama, sliding_window: 8 })), [null, null])
  })

  it('has layers that do not turn', () => {
    const smollm3 = configOf('SmolLM3')
    assert.deepEqual(thetas(parse(smollm3)), [2e6, 2e6, 2e6, null])
    const often = { ...smollm3, no_rope_layer_interval: 2 }
    assert.deepEqual(thetas(parse(often)), [2e6, null, 2e6, null])
    assert.deepEqual(thetas(parse({ ...smollm3, no_rope_layers: [1, 1, 0, 1] })), [2e6, 2e6, null, 2e6])
    const slides = { ...often, use_sliding_window: true, sliding_window: 8 }
    assert.deepEqual(windows(parse(slides)), [null, 8, null, 8])
  })

  it('cuts the context to what short factors hold for', () => {
    assert.equal(parse(phi).context, 64)
    assert.equal(parse(phi).layerKinds[0]!.rope!.width, 12)
  })

  const others: Record<string, Config> = {
    model_type: { ...llama, model_type: 'gpt2' },
    'model_type "toString"': { ...llama, model_type: 'toString' },
    hidden_act: { ...llama, hidden_act: 'gelu' },
    hidden_activation: { ...gemma3, hidden_activation: 'relu' },
    sliding_window: { ...mistral, sliding_window: 'long' },
    'chunked_attention"': { ...gemma3, layer_types: Array(6).fill('chunked_attention') },
    'layer_types .* 6 of': { ...gemma3, layer_types: ['full_attention'] },
    'layer_types with sliding_attention for layer 1': {
      ...llama,
      layer_types: ['full_attention', 'sliding_attention'],
    },
    'layer_types with full_attention for layer 0': {
      ...mistral,
      layer_types: Array(2).fill('full_attention'),
    },
    final_logit_softcapping: { ...llama, final_logit_softcapping: 30 },
    attn_logit_softcapping: { ...gemma3, attn_logit_softcapping: 50 },
    use_bidirectional_attention: { ...gemma3, use_bidirectional_attention: true },
    num_local_experts: { ...mistral, num_local_experts: 8 },
    partial_rotary_factor: { ...llama, partial_rotary_factor: 0.5 },
    'partial_rotary_factor 0.5': { ...llama, rope_parameters: { partial_rotary_factor: 0.5 } },
    rope_interleaved: { ...llama, rope_interleaved: true },
    no_rope_layers: { ...llama, no_rope_layers: [1, 0] },
    short_factor: { ...phi, rope_scaling: { type: 'longrope', short_factor: [] } },
    dynamic: { ...llama, rope_scaling: { rope_type: 'dynamic', factor: 2 } },
    factor: { ...llama, rope_scaling: { rope_type: 'linear' } },
    hidden_size: { ...llama, hidden_size: '64' },
    rms_norm_eps: { ...llama, rms_norm_eps: undefined },
    query_pre_attn_scalar: { ...gemma3, query_pre_attn_scalar: 0 },
    'not a multiple': { ...llama, num_key_value_heads: 3 },
    'head_dim 7': { ...llama, head_dim: 7 },
    'num_hidden_layers 1000000000: a positive whole number, at most 1024': {
      ...llama,
      num_hidden_layers: 1e9,
    },
    max_position_embeddings: { ...llama, max_position_embeddings: 1e15 },
  }
  for (const [name, json] of Object.entries(others))
    it(`refuses another network by ${name}`, () => {
      assert.throws(() => parse(json), { name: 'SetupError', message: RegExp(name) })
    })

  it('accepts settings that change nothing', () => {
    for (const { config } of miniatures) parse({ ...config, num_experts: 0, residual_multiplier: 1 })
    parse({ ...llama, final_logit_softcapping: null, rope_scaling: null, layer_types: null })
    parse({ ...mistral, layer_types: Array(2).fill('sliding_attention') })
  })

  it('is of every type of the family, and of no other', () => {
    for (const { config } of miniatures) assert.ok(isLlamaFamily(config), String(config.model_type))
    assert.ok(isLlamaFamily({ model_type: 'gemma3', text_config: { model_type: 'gemma3_text' } }))
    for (const model_type of ['gemma3', 'whisper', 'constructor', undefined])
      assert.ok(!isLlamaFamily({ model_type }), model_type)
  })

  it('refuses what is no JSON object, by its path', () => {
    const folder = newFolder()
    const message = RegExp(join(folder, 'config.json').replaceAll('\\', '\\\\'))
    assert.throws(() => readLlamaConfig(folder), { name: 'SetupError', message })
    for (const text of ['{', '[]', 'null']) {
      writeFileSync(join(folder, 'config.json'), text)
      assert.throws(() => readLlamaConfig(folder), { name: 'SetupError', message })
    }
  })
})
