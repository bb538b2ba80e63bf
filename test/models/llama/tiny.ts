/** Checkpoints of random weights in each style of the family, and the family's mathematics in plain loops. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '#src/decoding/rng.js'
import { type LlamaConfig, parseLlamaConfig } from '#src/models/llama/config.js'
import { ropeFrequencies } from '#src/models/llama/rope.js'
import { newFolder } from './engine.js'

export type Config = Record<string, unknown>
export type Tensors = Map<string, { dims: number[]; data: Float32Array }>

/** Sizes that all have: two layers, each key/value head shared by two query heads. */
const sizes = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 80,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
}

const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 }
/** config.json of every style. */
export const styles: Readonly<Record<string, Config>> = {
  'SmolLM2, tied': { ...sizes, model_type: 'llama', rope_theta: 1e5, tie_word_embeddings: true },
  'Llama 3, scaled': {
    ...sizes,
    model_type: 'llama',
    rope_theta: 5e5,
    rope_scaling: { rope_type: 'llama3', ...llama3 },
    tie_word_embeddings: false,
  },
  'Llama with biases, head tied by absence': {
    ...sizes,
    model_type: 'llama',
    attention_bias: true,
    mlp_bias: true,
  },
  'Mistral, wide heads': {
    ...sizes,
    model_type: 'mistral',
    head_dim: 24,
    sliding_window: null,
    tie_word_embeddings: false,
  },
  'Qwen 2, YaRN': {
    ...sizes,
    model_type: 'qwen2',
    use_sliding_window: false,
    sliding_window: 64,
    rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 128 },
    tie_word_embeddings: true,
  },
  'Qwen 3': {
    ...sizes,
    model_type: 'qwen3',
    head_dim: 32,
    rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 1e6 },
    tie_word_embeddings: true,
  },
}

export function randomTensors(json: Config): Tensors {
  const config = parseLlamaConfig(json, 'config.json')
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config
  const random = seededRandom(7)
  const tensors: Tensors = new Map()
  const add = (name: string, dims: number[], around = 0) => {
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1))
    for (let i = 0; i < data.length; i++) data[i] = around + (random() - 0.5) * 0.5
    tensors.set(name, { dims, data })
  }
  const linear = (name: string, rows: number, columns: number, bias: boolean) => {
    add(`${name}.weight`, [rows, columns])
    if (bias) add(`${name}.bias`, [rows])
  }
  add('model.embed_tokens.weight', [vocabulary, hidden])
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`
    add(`${at}.input_layernorm.weight`, [hidden], 1)
    linear(`${at}.self_attn.q_proj`, heads * headDim, hidden, config.biases.qkv)
    linear(`${at}.self_attn.k_proj`, kvHeads * headDim, hidden, config.biases.qkv)
    linear(`${at}.self_attn.v_proj`, kvHeads * headDim, hidden, config.biases.qkv)
    linear(`${at}.self_attn.o_proj`, hidden, heads * headDim, config.biases.output)
    for (const name of config.headNorms ? ['q_norm', 'k_norm'] : [])
      add(`${at}.self_attn.${name}.weight`, [headDim], 1)
    add(`${at}.post_attention_layernorm.weight`, [hidden], 1)
    linear(`${at}.mlp.gate_proj`, intermediate, hidden, config.biases.mlp)
    linear(`${at}.mlp.up_proj`, intermediate, hidden, config.biases.mlp)
    linear(`${at}.mlp.down_proj`, hidden, intermediate, config.biases.mlp)
  }
  add('model.norm.weight', [hidden], 1)
  if (json.tie_word_embeddings === false) linear('lm_head', vocabulary, hidden, false)
  return tensors
}

/** A checkpoint's folder with these tensors as F32 safetensors, and tokenizer files without content. */
export function writeCheckpoint(json: Config, tensors: Tensors): string {
  const folder = newFolder()
  const header: Record<string, object> = {}
  let at = 0
  for (const [name, { dims, data }] of tensors) {
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  const data = [...tensors.values()].map((tensor) => new Uint8Array(tensor.data.buffer))
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, text, ...data]))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json))
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) writeFileSync(join(folder, name), '{}')
  return folder
}

/** Logits of every token, in double precision: one token after another, each looking at all before it. */
export function referenceLogits(
  config: LlamaConfig,
  tensors: Tensors,
  tokens: readonly number[],
): number[][] {
  const { heads, kvHeads, headDim } = config
  const frequencies = ropeFrequencies(config.rope, headDim)
  const { scaling } = config.rope
  const amplitude = scaling.type === 'yarn' ? scaling.attentionFactor : 1
  const data = (name: string) => tensors.get(name)!.data
  const linear = (name: string, x: readonly number[]): number[] => {
    const { dims, data: w } = tensors.get(`${name}.weight`)!
    const bias = tensors.get(`${name}.bias`)?.data
    return Array.from({ length: dims[0]! }, (_, row) =>
      x.reduce((sum, value, i) => sum + value * w[row * x.length + i]!, bias?.[row] ?? 0),
    )
  }
  const norm = (name: string, x: readonly number[]): number[] => {
    const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length
    return x.map((value, i) => (value / Math.sqrt(mean + config.epsilon)) * data(`${name}.weight`)[i]!)
  }
  const rotate = (x: readonly number[], position: number): number[] =>
    x.map((value, i) => {
      const half = headDim / 2
      const angle = position * frequencies[i % half]!
      const partner = i < half ? -x[i + half]! : x[i - half]!
      return (value * Math.cos(angle) + partner * Math.sin(angle)) * amplitude
    })
  const cut = (x: readonly number[], count: number): number[][] =>
    Array.from({ length: count }, (_, head) => x.slice(head * headDim, (head + 1) * headDim))

  const keys: number[][][][] = Array.from({ length: config.layers }, () => [])
  const values: number[][][][] = Array.from({ length: config.layers }, () => [])
  return tokens.map((token, position) => {
    const width = config.hidden
    let x = [...data('model.embed_tokens.weight').slice(token * width, (token + 1) * width)]
    for (let layer = 0; layer < config.layers; layer++) {
      const at = `model.layers.${layer}`
      const input = norm(`${at}.input_layernorm`, x)
      const head = (name: 'q' | 'k', count: number) =>
        cut(linear(`${at}.self_attn.${name}_proj`, input), count).map((row) =>
          rotate(config.headNorms ? norm(`${at}.self_attn.${name}_norm`, row) : row, position),
        )
      const queries = head('q', heads)
      keys[layer]!.push(head('k', kvHeads))
      values[layer]!.push(cut(linear(`${at}.self_attn.v_proj`, input), kvHeads))
      const mixed = queries.flatMap((query, h) => {
        const shared = Math.floor(h / (heads / kvHeads))
        const scores = keys[layer]!.map((row) => Math.exp(dot(query, row[shared]!) / Math.sqrt(headDim)))
        const sum = scores.reduce((a, b) => a + b, 0)
        return query.map((_, i) =>
          scores.reduce((mean, score, past) => mean + (score / sum) * values[layer]![past]![shared]![i]!, 0),
        )
      })
      const attended = linear(`${at}.self_attn.o_proj`, mixed)
      x = x.map((value, i) => value + attended[i]!)
      const middle = norm(`${at}.post_attention_layernorm`, x)
      const gate = linear(`${at}.mlp.gate_proj`, middle).map((value) => value / (1 + Math.exp(-value)))
      const up = linear(`${at}.mlp.up_proj`, middle)
      const down = linear(
        `${at}.mlp.down_proj`,
        gate.map((value, i) => value * up[i]!),
      )
      x = x.map((value, i) => value + down[i]!)
    }
    const head = tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens'
    return linear(head, norm('model.norm', x))
  })
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)
