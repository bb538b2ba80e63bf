/**
 * What sets the model types apart that share the decoder of Llama: the settings that each one's class in transformers
 * has of itself, where config.json says nothing, and those that it knows at all.
 */
import type { JsonObject } from '../../text/json-file.js'

export interface ModelType {
  readonly name: string
  /** What config.json may leave out. */
  readonly defaults: JsonObject
  /** Of the settings that change the mathematics, those that this type knows; others refuse them. */
  readonly knows: readonly string[]
  /** Which linear layers have biases where `attention_bias` (or, for mlp, `mlp_bias`) is set; 'always': without it, too. */
  readonly biases: {
    readonly qkv: 'never' | 'asked' | 'always'
    readonly output: boolean
    readonly mlp: boolean
  }
  /** RMSNorm of each query and key head before the rotation. */
  readonly headNorms: boolean
  /** q, k and v are one layer, qkv_proj, and gate and up another, gate_up_proj. */
  readonly fused: boolean
  /** Gemma's ways: norms around one, before and behind each branch, and an embedding times √hidden. */
  readonly gemma: boolean
  /** The layers whose sight is a window, where there is one and config.json has no `layer_types`. */
  readonly slides: (json: JsonObject, layer: number) => boolean
  /** Whether all layers are alike whatever `layer_types` says: the class does not read it. */
  readonly uniform: boolean
}

const llama: ModelType = {
  name: 'llama',
  defaults: {},
  knows: [],
  biases: { qkv: 'asked', output: true, mlp: true },
  headNorms: false,
  fused: false,
  gemma: false,
  slides: () => false,
  uniform: true,
}

const mistral: ModelType = {
  ...llama,
  name: 'mistral',
  defaults: { num_key_value_heads: 8, sliding_window: 4096 },
  biases: { qkv: 'never', output: false, mlp: false },
  slides: () => true,
}

const qwen2: ModelType = {
  ...llama,
  name: 'qwen2',
  defaults: { use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 },
  biases: { qkv: 'always', output: false, mlp: false },
  slides: (json, layer) => layer >= Number(json.max_window_layers),
  uniform: false,
}

const gemma2: ModelType = {
  ...llama,
  name: 'gemma2',
  defaults: {
    vocab_size: 256_000,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-6,
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  knows: ['query_pre_attn_scalar', 'attn_logit_softcapping', 'final_logit_softcapping'],
  biases: { qkv: 'asked', output: true, mlp: false },
  gemma: true,
  slides: (_, layer) => (layer + 1) % 2 !== 0,
  uniform: false,
}

/** By `model_type`. */
export const modelTypes: Readonly<Record<string, ModelType>> = {
  llama,
  mistral,
  qwen2,
  qwen3: {
    ...qwen2,
    name: 'qwen3',
    defaults: { ...qwen2.defaults, head_dim: 128 },
    biases: { qkv: 'asked', output: true, mlp: false },
    headNorms: true,
  },
  smollm3: {
    ...llama,
    name: 'smollm3',
    defaults: { rope_theta: 2e6, no_rope_layer_interval: 4, use_sliding_window: false },
    knows: ['no_rope_layers'],
    slides: (json, layer) => !rotates(json, layer),
    uniform: false,
  },
  phi3: {
    ...llama,
    name: 'phi3',
    knows: ['partial_rotary_factor'],
    biases: { qkv: 'never', output: false, mlp: false },
    fused: true,
    slides: () => true,
  },
  gemma2,
  gemma3_text: {
    ...gemma2,
    name: 'gemma3_text',
    defaults: {
      ...gemma2.defaults,
      vocab_size: 262_208,
      max_position_embeddings: 131_072,
      rope_theta: 1e6,
      rope_local_base_freq: 1e4,
      attn_logit_softcapping: null,
      final_logit_softcapping: null,
    },
    // Its attention has no cap, though its class has the setting.
    knows: ['query_pre_attn_scalar', 'final_logit_softcapping'],
    headNorms: true,
    slides: (json, layer) => (layer + 1) % pattern(json) !== 0,
  },
}

/** SmolLM3's layers without positions: where `no_rope_layers` has a 0, else every fourth (`no_rope_layer_interval`). */
export function rotates(json: JsonObject, layer: number): boolean {
  const listed = json.no_rope_layers
  if (Array.isArray(listed)) return listed[layer] !== 0
  const interval = json.no_rope_layer_interval
  return typeof interval !== 'number' || (layer + 1) % interval !== 0
}

/** Gemma 3: every sixth layer sees all. */
function pattern(json: JsonObject): number {
  const value = json.sliding_window_pattern ?? json._sliding_window_pattern
  return typeof value === 'number' ? value : 6
}
