/** config.json as Hugging Face has it, from the metadata and tensors of a GGUF file. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { GgufKeys } from './gguf-keys.js'

type Json = Record<string, unknown>

/** What Hugging Face calls the architectures of llama.cpp; others have the same name, or are not known here. */
const modelTypes: Readonly<Record<string, string>> = { gemma3: 'gemma3_text' }

/** The model_type of a GGUF, or undefined for other checkpoints. */
export function ggufModelType(metadata: ReadonlyMap<string, unknown>): string | undefined {
  const architecture = metadata.get('general.architecture')
  return typeof architecture === 'string' ? modelTypeOf(architecture) : undefined
}

const modelTypeOf = (architecture: string): string =>
  Object.hasOwn(modelTypes, architecture) ? modelTypes[architecture]! : architecture

/**
 * The settings of the network, for the families' readers of config.json.
 * @param path what messages call the checkpoint
 * @throws SetupError naming the key that is missing, or the setting that config.json can not express
 */
export function ggufConfig(checkpoint: Checkpoint, path: string): Json {
  const keys = new GgufKeys(checkpoint.metadata, path)
  const arch = keys.needed(keys.text('general.architecture'), 'general.architecture')
  const size = (key: string): number => {
    const name = `${arch}.${key}`
    return keys.needed(keys.sameForAllLayers(name), name)
  }
  const hidden = size('embedding_length')
  const heads = size('attention.head_count')
  const headDim = keys.number(`${arch}.attention.key_length`) ?? hidden / heads
  const valueDim = keys.number(`${arch}.attention.value_length`) ?? headDim
  if (valueDim !== headDim)
    throw keys.fault(`has keys of ${headDim} and values of ${valueDim} numbers, which is not supported`)
  const rotated = keys.number(`${arch}.rope.dimension_count`) ?? headDim
  const experts = keys.number(`${arch}.expert_count`) ?? 0
  const window = keys.number(`${arch}.attention.sliding_window`)
  const vocabulary = checkpoint.has('token_embd.weight')
    ? checkpoint.tensor('token_embd.weight').dims[0]
    : keys.texts('tokenizer.ggml.tokens')?.length
  return {
    // Mistral's windows are in files of the architecture llama, too.
    model_type: arch === 'llama' && window ? 'mistral' : modelTypeOf(arch),
    hidden_size: hidden,
    intermediate_size: size('feed_forward_length'),
    num_hidden_layers: size('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: keys.sameForAllLayers(`${arch}.attention.head_count_kv`) ?? heads,
    head_dim: headDim,
    vocab_size: vocabulary,
    max_position_embeddings: size('context_length'),
    rms_norm_eps: short(size('attention.layer_norm_rms_epsilon')),
    hidden_act: 'silu',
    attention_bias: checkpoint.has('blk.0.attn_q.bias'),
    mlp_bias: checkpoint.has('blk.0.ffn_up.bias'),
    tie_word_embeddings: !checkpoint.has('output.weight'),
    rope_theta: short(keys.number(`${arch}.rope.freq_base`) ?? 10_000),
    rope_scaling: ropeScaling(checkpoint, keys, arch),
    sliding_window: window || null,
    bos_token_id: keys.tokenId('bos', vocabulary ?? 0) ?? null,
    eos_token_id: keys.tokenId('eos', vocabulary ?? 0) ?? null,
    ...(rotated === headDim ? {} : { partial_rotary_factor: rotated / headDim }),
    ...(experts > 0 ? { num_local_experts: experts } : {}),
    ...(arch === 'gemma2' || arch === 'gemma3' ? gemma(keys, arch, hidden / heads, headDim) : {}),
    ...(arch === 'phi3' ? { original_max_position_embeddings: originalContext(keys, arch) } : {}),
  }
}

/** The depth of Gemma's 27B, which scale by hidden / heads in place of the width of a head (llama.cpp, src/models). */
const deepest: Readonly<Record<string, number>> = { gemma2: 46, gemma3: 62 }

/** What llama.cpp's code knows of Gemma and its files need not say. Gemma is of bfloat16, embeddings' factor included. */
function gemma(keys: GgufKeys, arch: string, evenHeadDim: number, headDim: number): Json {
  const number = (key: string) => keys.number(`${arch}.${key}`)
  return {
    hidden_act: undefined,
    hidden_activation: 'gelu_pytorch_tanh',
    torch_dtype: 'bfloat16',
    query_pre_attn_scalar: number('block_count') === deepest[arch] ? evenHeadDim : headDim,
    attn_logit_softcapping: number('attn_logit_softcapping'),
    final_logit_softcapping: number('final_logit_softcapping'),
    ...(arch === 'gemma2'
      ? { sliding_window: number('attention.sliding_window') ?? 4096 }
      : {
          rope_local_base_freq: short(number('rope.freq_base_swa') ?? 10_000),
          ...windowed(keys, arch),
        }),
  }
}

/** Which layers of Gemma 3 have a window: each is named, or all but every so many have one. */
function windowed(keys: GgufKeys, arch: string): Json {
  const pattern = keys.numberOrFlags(`${arch}.attention.sliding_window_pattern`) ?? 6
  if (typeof pattern === 'number') return { sliding_window_pattern: pattern }
  return { layer_types: pattern.map((has) => (has ? 'sliding_attention' : 'full_attention')) }
}

function ropeScaling(checkpoint: Checkpoint, keys: GgufKeys, arch: string): Json | null {
  const number = (key: string) => keys.number(`${arch}.rope.scaling.${key}`)
  const factors = (name: string) => [...checkpoint.tensor(name).floats()]
  if (checkpoint.has('rope_factors_long.weight')) {
    const [long_factor, short_factor] = [
      factors('rope_factors_long.weight'),
      factors('rope_factors_short.weight'),
    ]
    const attention = number('attn_factor')
    return {
      rope_type: 'longrope',
      long_factor,
      short_factor,
      ...(attention ? { attention_factor: short(attention) } : {}),
    }
  }
  if (checkpoint.has('rope_freqs.weight')) {
    // What Llama 3's scaling comes to: the files hold what each frequency is divided by, whatever the position.
    const divisors = factors('rope_freqs.weight')
    const original_max_position_embeddings = keys.number(`${arch}.context_length`)
    return {
      rope_type: 'longrope',
      long_factor: divisors,
      short_factor: divisors,
      attention_factor: 1,
      original_max_position_embeddings,
    }
  }
  const type = keys.text(`${arch}.rope.scaling.type`) ?? 'none'
  const factor = number('factor') ?? keys.number(`${arch}.rope.scale_linear`)
  if (type === 'yarn') {
    const [slow, fast, attention] = [
      number('yarn_beta_slow'),
      number('yarn_beta_fast'),
      number('attn_factor'),
    ]
    if (number('yarn_log_multiplier')) throw keys.fault('has a yarn_log_multiplier, which is not supported')
    return {
      rope_type: 'yarn',
      factor: short(keys.needed(factor, `${arch}.rope.scaling.factor`)),
      original_max_position_embeddings: originalContext(keys, arch),
      ...(slow ? { beta_slow: short(slow) } : {}),
      ...(fast ? { beta_fast: short(fast) } : {}),
      ...(attention && factor ? { attention_factor: attention * (0.1 * Math.log(factor) + 1) } : {}),
    }
  }
  if (type !== 'none' && type !== 'linear') return { rope_type: type }
  return factor && factor !== 1 ? { rope_type: 'linear', factor: short(factor) } : null
}

function originalContext(keys: GgufKeys, arch: string): number | undefined {
  return keys.number(`${arch}.rope.scaling.original_context_length`) ?? keys.number(`${arch}.context_length`)
}

/** The decimal that a float32 was written as: 0.00001, not 0.000009999999747378752. */
const short = (value: number): number => Number(value.toPrecision(7))
