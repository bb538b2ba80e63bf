/** What config.json says of a decoder of the Llama family: the model types of model-types.ts. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { isObject, type JsonObject, readJsonObject } from '../../text/json-file.js'
import { type LayerKind, layerKinds } from './layer-kinds.js'
import { type ModelType, modelTypes } from './model-types.js'
import { readRope } from './rope-config.js'

export interface LlamaConfig {
  readonly modelType: string
  readonly layers: number
  /** How each layer sees and turns; layers of one kind share one object. */
  readonly layerKinds: readonly LayerKind[]
  readonly hidden: number
  readonly intermediate: number
  /** Query heads; each group of heads / kvHeads shares one key/value head. */
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabulary: number
  /** The most rows that a sequence may have. */
  readonly context: number
  readonly epsilon: number
  readonly activation: 'silu' | 'gelu-tanh'
  /** RMSNorm of each query and key head before the rotation. */
  readonly headNorms: boolean
  /** RMSNorms of what attention and feed-forward give, too, before it is added (Gemma). */
  readonly branchNorms: boolean
  /** Whether checkpoints store a norm's scale less one (Gemma). */
  readonly normsAroundOne: boolean
  /** q, k and v are one layer, and gate and up another (Phi 3). */
  readonly fused: boolean
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean }
  /** What embeddings are multiplied by. */
  readonly embeddingScale: number
  /** What scores of attention are multiplied by. */
  readonly attentionScale: number
  /** Scores of attention, and logits, x become cap · tanh(x / cap). */
  readonly attentionCap: number | null
  readonly logitCap: number | null
  /** Whether the output matrix is the embedding; null: it is when there is no lm_head.weight. */
  readonly tied: boolean | null
}

/**
 * Reads and checks `<folder>/config.json`.
 * @throws SetupError for a missing or wrong value, and for every setting that makes another network of it than ours.
 */
export function readLlamaConfig(folder: string): LlamaConfig {
  return parseLlamaConfig(readJsonObject(folder, 'config.json'), join(folder, 'config.json'))
}

/** Whether a config.json is of one of the family's model types; its settings may still be others than ours. */
export const isLlamaFamily = (file: JsonObject): boolean => typeOf(ofText(file)) !== undefined

const typeOf = ({ model_type }: JsonObject): ModelType | undefined =>
  typeof model_type === 'string' && Object.hasOwn(modelTypes, model_type) ? modelTypes[model_type] : undefined

/** As {@link readLlamaConfig}, of the parsed file; `where` is what messages call it. */
export function parseLlamaConfig(file: JsonObject, where: string): LlamaConfig {
  const said = ofText(file)
  const type = typeOf(said)
  if (!type)
    throw new SetupError(
      `${where} has model_type ${shown(said.model_type)}: the Llama family here has ${Object.keys(modelTypes).join(', ')}.`,
    )
  const json = { ...type.defaults, ...withoutNulls(said, type.defaults) }
  refuseOtherMathematics(json, type, where)
  const size = (key: string, absent?: number): number => {
    const value = json[key] ?? absent
    const most = mostOf[key] ?? Number.MAX_SAFE_INTEGER
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= most) return value
    const limit = mostOf[key] === undefined ? '' : `, at most ${most},`
    throw new SetupError(`${where} has ${key} ${shown(value)}: a positive whole number${limit} is needed.`)
  }
  const positive = (key: string): number => {
    const value = json[key]
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    throw new SetupError(`${where} has ${key} ${shown(value)}: a positive number is needed.`)
  }
  const hidden = size('hidden_size')
  const layers = size('num_hidden_layers')
  const heads = size('num_attention_heads')
  const kvHeads = size('num_key_value_heads', headsByDefault.has(type.name) ? heads : undefined)
  if (heads % kvHeads !== 0)
    throw new SetupError(
      `${where} has num_attention_heads ${heads}, not a multiple of num_key_value_heads ${kvHeads}.`,
    )
  const headDim = size('head_dim', hidden / heads)
  if (headDim % 2 !== 0)
    throw new SetupError(`${where} has head_dim ${headDim}: rotary pairs need an even number.`)
  const partial = type.knows.includes('partial_rotary_factor')
  const rope = (layerType: string) => readRope(json, { headDim, layerType, partial }, where)
  const context = Math.min(size('max_position_embeddings'), rope('full_attention').context)
  const asked = json.attention_bias === true
  return {
    modelType: type.name,
    layers,
    layerKinds: layerKinds(json, type, { layers, context, rope }, where),
    hidden,
    intermediate: size('intermediate_size'),
    heads,
    kvHeads,
    headDim,
    vocabulary: size('vocab_size'),
    context,
    epsilon: positive('rms_norm_eps'),
    activation: activation(json, type, where),
    headNorms: type.headNorms,
    branchNorms: type.gemma,
    normsAroundOne: type.gemma,
    fused: type.fused,
    biases: {
      qkv: type.biases.qkv === 'always' || (type.biases.qkv === 'asked' && asked),
      output: type.biases.output && asked,
      mlp: type.biases.mlp && json.mlp_bias === true,
    },
    embeddingScale: type.gemma ? roundedAs(json.dtype ?? json.torch_dtype, Math.sqrt(hidden)) : 1,
    attentionScale: (type.gemma ? positive('query_pre_attn_scalar') : headDim) ** -0.5,
    attentionCap: json.attn_logit_softcapping == null ? null : positive('attn_logit_softcapping'),
    logitCap: json.final_logit_softcapping == null ? null : positive('final_logit_softcapping'),
    tied: typeof json.tie_word_embeddings === 'boolean' ? json.tie_word_embeddings : null,
  }
}

/**
 * Beyond any network there is. Of other sizes the tensors say whether they are true; by these the graph and its rotary
 * tables are as large as a file claims, before a tensor is looked at.
 */
const mostOf: Readonly<Record<string, number>> = { num_hidden_layers: 1024, max_position_embeddings: 2 ** 24 }

/** Types whose key and value heads are as many as the query heads where nothing is said. */
const headsByDefault = new Set(['llama', 'smollm3', 'phi3'])

/** The text half of a checkpoint of Gemma 3 that sees, too; else the file itself. */
function ofText(file: JsonObject): JsonObject {
  if (file.model_type !== 'gemma3' || !isObject(file.text_config)) return file
  const { tie_word_embeddings, torch_dtype, dtype, quantization_config } = file
  const around = { tie_word_embeddings, torch_dtype, dtype, quantization_config }
  return { ...withoutNulls(around), model_type: 'gemma3_text', ...file.text_config }
}

/** What is null is as good as absent, but where `defaults` have another choice than null: a window, a cap. */
function withoutNulls(json: JsonObject, defaults: JsonObject = {}): JsonObject {
  const chosen = (key: string) => Object.hasOwn(defaults, key) && /window$|capping$/.test(key)
  const says = ([key, value]: [string, unknown]) => value !== undefined && (value !== null || chosen(key))
  return Object.fromEntries(Object.entries(json).filter(says))
}

/** Settings that change the mathematics, with the values that leave it as it is. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  attn_logit_softcapping: [],
  final_logit_softcapping: [],
  query_pre_attn_scalar: [],
  use_bidirectional_attention: [false],
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

function refuseOtherMathematics(json: JsonObject, type: ModelType, where: string): void {
  for (const [key, values] of Object.entries(neutral)) {
    const value = json[key]
    if (value == null || values.includes(value) || type.knows.includes(key)) continue
    throw new SetupError(`${where} has ${key} ${shown(value)}, which ${type.name} does not implement here.`)
  }
}

function activation(json: JsonObject, type: ModelType, where: string): LlamaConfig['activation'] {
  const key = type.gemma ? 'hidden_activation' : 'hidden_act'
  const name = json[key] ?? 'silu'
  if (name === 'silu' || name === 'swish') return 'silu'
  if (name === 'gelu_pytorch_tanh') return 'gelu-tanh'
  throw new SetupError(`${where} has ${key} ${shown(name)}: silu and gelu_pytorch_tanh are implemented.`)
}

/** As the reference does, which multiplies in the type of its weights. */
function roundedAs(type: unknown, value: number): number {
  const digits = type === 'bfloat16' ? 8 : type === 'float16' ? 11 : 24
  const step = 2 ** (Math.floor(Math.log2(value)) + 1 - digits)
  return Math.round(value / step) * step
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value))
