/** What config.json says of a decoder of the Llama family: Llama 2 and 3, SmolLM2, Mistral, Qwen 2, 2.5 and 3. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { readJsonObject } from '../../text/json-file.js'
import { type RopeConfig, readRope } from './rope-config.js'

export interface LlamaConfig {
  readonly modelType: ModelType
  readonly layers: number
  readonly hidden: number
  readonly intermediate: number
  /** Query heads; each group of heads / kvHeads shares one key/value head. */
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabulary: number
  /** max_position_embeddings: the most rows that a sequence may have. */
  readonly context: number
  readonly epsilon: number
  readonly rope: RopeConfig
  /** RMSNorm of each query and key head before the rotation (Qwen 3). */
  readonly headNorms: boolean
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean }
  /** Whether the output matrix is the embedding; null: it is when there is no lm_head.weight. */
  readonly tied: boolean | null
}

const modelTypes = ['llama', 'mistral', 'qwen2', 'qwen3'] as const
export type ModelType = (typeof modelTypes)[number]

type Json = Readonly<Record<string, unknown>>

/**
 * Reads and checks `<folder>/config.json`.
 * @throws SetupError for a missing or wrong value, and for every setting that makes another network of it than ours.
 */
export function readLlamaConfig(folder: string): LlamaConfig {
  return parseLlamaConfig(readJsonObject(folder, 'config.json'), join(folder, 'config.json'))
}

/** As {@link readLlamaConfig}, of the parsed file; `where` is what messages call it. */
export function parseLlamaConfig(json: Json, where: string): LlamaConfig {
  const modelType = modelTypes.find((known) => known === json.model_type)
  if (!modelType)
    throw new SetupError(
      `${where} has model_type ${shown(json.model_type)}: the Llama family here has ${modelTypes.join(', ')}.`,
    )
  refuseOtherMathematics(json, modelType, where)
  const size = (key: string, absent?: number): number => {
    const value = json[key] ?? absent
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    throw new SetupError(`${where} has ${key} ${shown(value)}: a positive whole number is needed.`)
  }
  const hidden = size('hidden_size')
  const heads = size('num_attention_heads')
  const kvHeads = size('num_key_value_heads', modelType === 'llama' ? heads : undefined)
  if (heads % kvHeads !== 0)
    throw new SetupError(
      `${where} has num_attention_heads ${heads}, not a multiple of num_key_value_heads ${kvHeads}.`,
    )
  const headDim = size('head_dim', modelType === 'qwen3' ? 128 : hidden / heads)
  if (headDim % 2 !== 0)
    throw new SetupError(`${where} has head_dim ${headDim}: rotary pairs need an even number.`)
  const epsilon = json.rms_norm_eps
  if (typeof epsilon !== 'number' || !(epsilon > 0))
    throw new SetupError(`${where} has rms_norm_eps ${shown(epsilon)}: a positive number is needed.`)
  const context = size('max_position_embeddings')
  const attentionBias = json.attention_bias === true
  return {
    modelType,
    layers: size('num_hidden_layers'),
    hidden,
    intermediate: size('intermediate_size'),
    heads,
    kvHeads,
    headDim,
    vocabulary: size('vocab_size'),
    context,
    epsilon,
    rope: readRope(json, context, where),
    headNorms: modelType === 'qwen3',
    biases: {
      qkv: modelType === 'qwen2' || (modelType !== 'mistral' && attentionBias),
      output: (modelType === 'llama' || modelType === 'qwen3') && attentionBias,
      mlp: modelType === 'llama' && json.mlp_bias === true,
    },
    tied: typeof json.tie_word_embeddings === 'boolean' ? json.tie_word_embeddings : null,
  }
}

/** Settings that change the mathematics, with the values that leave it as it is. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  hidden_act: ['silu', 'swish'],
  attn_logit_softcapping: [],
  final_logit_softcapping: [],
  query_pre_attn_scalar: [],
  num_experts: [0],
  num_local_experts: [0],
  n_routed_experts: [0],
  partial_rotary_factor: [1],
  rope_interleaved: [false],
  no_rope_layers: [],
  attention_multiplier: [],
  embedding_multiplier: [1],
  residual_multiplier: [1],
  logits_scaling: [1],
  logit_scale: [1],
  use_qk_norm: [false],
}

function refuseOtherMathematics(json: Json, modelType: ModelType, where: string): void {
  for (const [key, values] of Object.entries(neutral)) {
    const value = json[key]
    if (value === undefined || value === null || values.includes(value)) continue
    throw new SetupError(`${where} has ${key} ${shown(value)}, which this Llama family does not implement.`)
  }
  refuseSlidingWindow(json, modelType, where)
}

/** A window as long as the context changes nothing. Absent, Mistral's is 4096 (the class default of transformers). */
function refuseSlidingWindow(json: Json, modelType: ModelType, where: string): void {
  const layerTypes = Array.isArray(json.layer_types) ? json.layer_types : []
  const other = layerTypes.find((type) => type !== 'full_attention')
  if (other !== undefined)
    throw new SetupError(`${where} has layer_types with ${shown(other)}: only full_attention is implemented.`)
  const window = json.sliding_window === undefined && modelType === 'mistral' ? 4096 : json.sliding_window
  const used = modelType === 'mistral' || json.use_sliding_window === true
  if (!used || typeof window !== 'number' || window >= Number(json.max_position_embeddings)) return
  throw new SetupError(
    `${where} has a sliding_window of ${window} in use: attention windows are not implemented.`,
  )
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value))
