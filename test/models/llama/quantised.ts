/** Checkpoints of one small network in every storage: random blocks and words, in the files that have them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BlockStorage, blockFormats } from '#src/checkpoint/gguf-blocks.js'
import { seededRandom } from '#src/decoding/rng.js'
import { float16Bits } from '#src/graph/halves.js'
import { f32, gguf, ggufString, keyValue, packed, tensorInfo } from '../../checkpoint/writers.js'
import { newFolder } from './engine.js'
import type { Config } from './tiny.js'

const hidden = 256
const vocabulary = 80
const base: Config = {
  model_type: 'qwen2',
  hidden_size: hidden,
  intermediate_size: hidden,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: vocabulary,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  use_sliding_window: false,
}
/** Rows of the matrices of a layer, by their names in GGUF and in Hugging Face's files. */
const matrices: [gguf: string, name: string, rows: number][] = [
  ['attn_q', 'self_attn.q_proj', 256],
  ['attn_k', 'self_attn.k_proj', 128],
  ['attn_v', 'self_attn.v_proj', 128],
  ['attn_output', 'self_attn.o_proj', 256],
  ['ffn_gate', 'mlp.gate_proj', 256],
  ['ffn_up', 'mlp.up_proj', 256],
  ['ffn_down', 'mlp.down_proj', 256],
]

function write(config: Config, name: string, bytes: Uint8Array): string {
  const folder = newFolder()
  writeFileSync(join(folder, name), bytes)
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) writeFileSync(join(folder, file), '{}')
  return folder
}

const random = seededRandom(29)
const bytesOf = (count: number) => Buffer.from(Uint8Array.from({ length: count }, () => 256 * random()))
const halves = (count: number, size: () => number) =>
  Buffer.from(
    Uint16Array.from({ length: count }, () =>
      float16Bits(new Uint32Array(Float32Array.of(size()).buffer)[0]!),
    ).buffer,
  )
const ones = () => f32(...Array.from({ length: hidden }, () => 0.5 + random()))
const biases = (count: number) => f32(...Array.from({ length: count }, () => 0.1 * random()))

/** ggml's numbers of the types, where its float16 numbers stand in a block, and what d is multiplied with beside q. */
const types: Record<BlockStorage, { type: number; d: number; m: number | null; most: number }> = {
  Q4_0: { type: 2, d: 0, m: null, most: 8 },
  Q4_1: { type: 3, d: 0, m: 2, most: 8 },
  Q5_0: { type: 6, d: 0, m: null, most: 16 },
  Q5_1: { type: 7, d: 0, m: 2, most: 16 },
  Q8_0: { type: 8, d: 0, m: null, most: 128 },
  Q4_K: { type: 12, d: 0, m: 2, most: 8 * 32 },
  Q5_K: { type: 13, d: 0, m: 2, most: 16 * 32 },
  Q6_K: { type: 14, d: 208, m: null, most: 32 * 64 },
}

/** Random blocks of about ±0.1; minima are half of the range below zero. */
function randomBlocks(storage: BlockStorage, weights: number): Buffer {
  const { weights: perBlock, bytes } = blockFormats[storage]
  const { d, m, most } = types[storage]
  const count = weights / perBlock
  const data = bytesOf(count * bytes)
  const scales = halves(count, () => (0.05 * (1 + random())) / most)
  for (let block = 0; block < count; block++) {
    scales.copy(data, block * bytes + d, 2 * block, 2 * block + 2)
    if (m === null) continue
    // K blocks subtract a multiple of a minimum, the others add one.
    const minimum = storage.endsWith('K') ? 0.1 / 32 : -0.1
    halves(1, () => minimum).copy(data, block * bytes + m)
  }
  return data
}

/** A GGUF whose layers are of one storage and whose values, down projection and table are of another. */
export function ggufCheckpoint(storage: BlockStorage, other: BlockStorage): string {
  const infos: Buffer[] = []
  const data: Buffer[] = []
  let at = 0
  const add = (name: string, sizes: number[], type: number, bytes: Buffer) => {
    infos.push(tensorInfo(name, sizes, type, at))
    const padding = Buffer.alloc((32 - (bytes.length % 32)) % 32)
    data.push(bytes, padding)
    at += bytes.length + padding.length
  }
  const matrix = (name: string, rows: number, kind: BlockStorage) =>
    add(name, [hidden, rows], types[kind].type, randomBlocks(kind, rows * hidden))
  matrix('token_embd.weight', vocabulary, other)
  for (const [name, , rows] of matrices)
    matrix(`blk.0.${name}.weight`, rows, name === 'attn_v' || name === 'ffn_down' ? other : storage)
  for (const [name, , rows] of matrices.slice(0, 3)) add(`blk.0.${name}.bias`, [rows], 0, biases(rows))
  for (const name of ['blk.0.attn_norm', 'blk.0.ffn_norm', 'output_norm'])
    add(`${name}.weight`, [hidden], 0, ones())
  const keys = [keyValue('general.architecture', 8, ggufString('qwen2'))]
  // The last tensor needs no padding behind it.
  const file = gguf({ keys, infos, data: Buffer.concat(data.slice(0, -1)) })
  return write({ ...base, tie_word_embeddings: true }, 'model.gguf', file)
}

type Parts = Record<string, [dtype: string, shape: number[], bytes: Uint8Array]>
const scales = (count: number, most: number) => halves(count, () => (0.05 * (1 + random())) / most)
const K = hidden

/** Each packing, with the parts of a weight of N rows. */
export const packings: Readonly<Record<string, { config: Config; parts: (N: number) => Parts }>> = {
  'GPTQ in groups of 128': {
    config: { quant_method: 'gptq', bits: 4, group_size: 128, desc_act: false, sym: false },
    parts: (N) => ({
      qweight: ['I32', [K / 8, N], bytesOf((K * N) / 2)],
      qzeros: ['I32', [2, N / 8], bytesOf(N)],
      scales: ['F16', [2, N], scales(2 * N, 8)],
    }),
  },
  'GPTQ, symmetric, in groups of 32': {
    config: { quant_method: 'gptq', bits: 4, group_size: 32, desc_act: false, sym: true },
    parts: (N) => ({
      qweight: ['I32', [K / 8, N], bytesOf((K * N) / 2)],
      qzeros: ['I32', [8, N / 8], Buffer.alloc(4 * N, 0x77)],
      scales: ['F16', [8, N], scales(8 * N, 8)],
    }),
  },
  'GPTQ of 8 bits': {
    config: { quant_method: 'gptq', bits: 8, group_size: 64, desc_act: false, sym: false },
    parts: (N) => ({
      qweight: ['I32', [K / 4, N], bytesOf(K * N)],
      qzeros: ['I32', [4, N / 4], bytesOf(4 * N)],
      scales: ['F16', [4, N], scales(4 * N, 128)],
    }),
  },
  'AWQ in groups of 64': {
    config: { quant_method: 'awq', bits: 4, group_size: 64, zero_point: true, version: 'gemm' },
    parts: (N) => ({
      qweight: ['I32', [K, N / 8], bytesOf((K * N) / 2)],
      qzeros: ['I32', [4, N / 8], bytesOf(2 * N)],
      scales: ['F16', [4, N], scales(4 * N, 8)],
    }),
  },
  'compressed-tensors, a scale per row': {
    config: {
      quant_method: 'compressed-tensors',
      format: 'pack-quantized',
      config_groups: { group_0: { weights: { num_bits: 4, strategy: 'channel' } } },
    },
    parts: (N) => ({
      weight_packed: ['I32', [N, K / 8], bytesOf((K * N) / 2)],
      weight_scale: ['F16', [N, 1], scales(N, 8)],
      weight_shape: ['I32', [2], Buffer.from(Int32Array.of(N, K).buffer)],
    }),
  },
}

/** Safetensors with packed layers, and a table and head in float16. */
export function packedCheckpoint({ config, parts }: (typeof packings)[string]): string {
  const tensors: Parts = {}
  const table = () => halves(vocabulary * hidden, () => 0.2 * (random() - 0.5))
  for (const name of ['model.embed_tokens', 'lm_head'])
    tensors[`${name}.weight`] = ['F16', [vocabulary, hidden], table()]
  const layer = 'model.layers.0'
  for (const [, name, rows] of matrices)
    for (const [part, tensor] of Object.entries(parts(rows))) tensors[`${layer}.${name}.${part}`] = tensor
  for (const [, name, rows] of matrices.slice(0, 3))
    tensors[`${layer}.${name}.bias`] = ['F32', [rows], biases(rows)]
  for (const name of [`${layer}.input_layernorm`, `${layer}.post_attention_layernorm`, 'model.norm'])
    tensors[`${name}.weight`] = ['F32', [hidden], ones()]
  const json = { ...base, tie_word_embeddings: false, quantization_config: config }
  return write(json, 'model.safetensors', packed(tensors))
}
