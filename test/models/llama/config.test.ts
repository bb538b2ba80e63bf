import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLlamaConfig, readLlamaConfig } from '#src/models/llama/config.js'
import { newFolder, smollm2 } from './engine.js'
import { type Config, styles } from './tiny.js'

const parse = (json: Config) => parseLlamaConfig(json, 'config.json')
const llama = styles['SmolLM2, tied']!
const mistral = styles['Mistral, wide heads']!
const qwen2 = styles['Qwen 2, YaRN']!

describe('models/llama/config', () => {
  it('reads the embedded checkpoint', () => {
    const { layers, hidden, heads, kvHeads, headDim, context, rope, tied } = readLlamaConfig(smollm2)
    assert.deepEqual([layers, hidden, heads, kvHeads, headDim, context], [30, 576, 9, 3, 64, 8192])
    assert.deepEqual(rope, { theta: 1e5, scaling: { type: 'none' } })
    assert.equal(tied, true)
  })

  it("knows each type's own rules", () => {
    const { tie_word_embeddings, num_key_value_heads, ...absent } = llama
    assert.equal(parse(absent).tied, null)
    assert.equal(parse(absent).kvHeads, 4)
    assert.throws(() => parse({ ...absent, model_type: 'qwen2' }), /num_key_value_heads/)
    assert.deepEqual(parse(qwen2).biases, { qkv: true, output: false, mlp: false })
    assert.deepEqual(parse({ ...mistral, attention_bias: true }).biases.qkv, false)
    assert.equal(parse({ ...llama, model_type: 'qwen3' }).headDim, 128)
    assert.equal(parse({ ...llama, model_type: 'qwen3' }).headNorms, true)
  })

  const others: Record<string, Config> = {
    model_type: { ...llama, model_type: 'gemma3_text' },
    hidden_act: { ...llama, hidden_act: 'gelu_pytorch_tanh' },
    sliding_window: { ...mistral, sliding_window: 256 },
    'sliding_window of': { ...mistral, sliding_window: undefined, max_position_embeddings: 32768 },
    'sliding_window of 64': { ...qwen2, use_sliding_window: true },
    layer_types: { ...llama, layer_types: ['full_attention', 'sliding_attention'] },
    final_logit_softcapping: { ...llama, final_logit_softcapping: 30 },
    attn_logit_softcapping: { ...llama, attn_logit_softcapping: 50 },
    num_local_experts: { ...mistral, num_local_experts: 8 },
    partial_rotary_factor: { ...llama, partial_rotary_factor: 0.5 },
    rope_interleaved: { ...llama, rope_interleaved: true },
    longrope: { ...llama, rope_scaling: { type: 'longrope', short_factor: [] } },
    dynamic: { ...llama, rope_scaling: { rope_type: 'dynamic', factor: 2 } },
    factor: { ...llama, rope_scaling: { rope_type: 'linear' } },
    hidden_size: { ...llama, hidden_size: '64' },
    rms_norm_eps: { ...llama, rms_norm_eps: undefined },
    'not a multiple': { ...llama, num_key_value_heads: 3 },
    'head_dim 7': { ...llama, head_dim: 7 },
  }
  for (const [name, json] of Object.entries(others))
    it(`refuses another network by ${name}`, () => {
      assert.throws(() => parse(json), { name: 'SetupError', message: RegExp(name) })
    })

  it('accepts settings that change nothing', () => {
    parse({ ...mistral, sliding_window: 512 })
    parse({
      ...llama,
      final_logit_softcapping: null,
      num_experts: 0,
      residual_multiplier: 1,
      rope_scaling: null,
    })
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
