/** Checkpoints of Whisper's form with random weights, so small that a test can build them in every way. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Checkpoint } from '#src/checkpoint/checkpoint.js'
import type { CheckpointTensor } from '#src/checkpoint/tensor.js'
import { xoshiro128 } from '#src/decoding/rng.js'
import { SetupError } from '#src/errors.js'

/** As large-v3-turbo: 128 mel bins, another vocabulary, and fewer layers in the decoder; float weights. */
export const turbo = {
  model_type: 'whisper',
  activation_function: 'gelu',
  d_model: 128,
  encoder_layers: 3,
  encoder_attention_heads: 2,
  encoder_ffn_dim: 512,
  decoder_layers: 1,
  decoder_attention_heads: 2,
  decoder_ffn_dim: 512,
  num_mel_bins: 128,
  vocab_size: 301,
  max_source_positions: 50,
  max_target_positions: 32,
}

export type Sizes = typeof turbo

/** As base: 80 mel bins, and as many layers in both halves. */
export const base: Sizes = {
  ...turbo,
  num_mel_bins: 80,
  encoder_layers: 2,
  decoder_layers: 2,
  vocab_size: 300,
}

/** A folder with this config.json, that goes away with the run. */
export function folderOf(config: object): string {
  const folder = mkdtempSync(join(made, 'miniature-'))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return folder
}
const made = mkdtempSync(join(tmpdir(), 'whisper-test-'))
process.on('exit', () => rmSync(made, { recursive: true, force: true }))

/** Names and dimensions of a checkpoint of these sizes. */
export function layout(sizes: Sizes): Map<string, number[]> {
  const { d_model: d, encoder_ffn_dim: ffn } = sizes
  const tensors = new Map<string, number[]>()
  const linear = (name: string, out: number, into: number, bias = true) => {
    tensors.set(`${name}.weight`, [out, into])
    if (bias) tensors.set(`${name}.bias`, [out])
  }
  const norm = (name: string) => tensors.set(`${name}.weight`, [d]).set(`${name}.bias`, [d])
  const attention = (name: string) => {
    for (const part of ['q', 'k', 'v', 'out']) linear(`${name}.${part}_proj`, d, d, part !== 'k')
    norm(`${name}_layer_norm`)
  }
  for (const [half, layers] of [
    ['encoder', sizes.encoder_layers],
    ['decoder', sizes.decoder_layers],
  ] as const) {
    for (let i = 0; i < layers; i++) {
      const layer = `model.${half}.layers.${i}`
      attention(`${layer}.self_attn`)
      if (half === 'decoder') attention(`${layer}.encoder_attn`)
      linear(`${layer}.fc1`, ffn, d)
      linear(`${layer}.fc2`, d, ffn)
      norm(`${layer}.final_layer_norm`)
    }
    norm(`model.${half}.layer_norm`)
  }
  tensors.set('model.encoder.conv1.weight', [d, sizes.num_mel_bins, 3]).set('model.encoder.conv1.bias', [d])
  tensors.set('model.encoder.conv2.weight', [d, d, 3]).set('model.encoder.conv2.bias', [d])
  tensors.set('model.encoder.embed_positions.weight', [sizes.max_source_positions, d])
  tensors.set('model.decoder.embed_positions.weight', [sizes.max_target_positions, d])
  tensors.set('model.decoder.embed_tokens.weight', [sizes.vocab_size, d])
  return tensors.set('proj_out.weight', [sizes.vocab_size, d])
}

export function randomCheckpoint(tensors: ReadonlyMap<string, number[]>): Checkpoint {
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    tensor: (name): CheckpointTensor => {
      const dims = tensors.get(name)
      if (!dims) throw new SetupError(`no tensor ${name}`)
      const seed = Uint32Array.from([1, 2, 3, [...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7)])
      const next = xoshiro128(seed)
      const make = () =>
        Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => (next() / 2 ** 32 - 0.5) / 4)
      return { name, dims, storage: 'F32', floats: make, quantised: () => null }
    },
    metadata: new Map(),
    [Symbol.dispose]: () => {},
  }
}
