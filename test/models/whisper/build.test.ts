import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Checkpoint } from '#src/checkpoint/checkpoint.js'
import type { CheckpointTensor } from '#src/checkpoint/tensor.js'
import { xoshiro128 } from '#src/decoding/rng.js'
import { SetupError } from '#src/errors.js'
import { onCpu } from '#src/models/plan.js'
import { planWhisper } from '#src/models/whisper/build.js'
import { readConfig } from '#src/models/whisper/config.js'
import { float32, floats, int64 } from '#src/runtime/session.js'
import { writeEngine } from '../engine.js'
import { largestDifference } from './golden.js'

/** As large-v3-turbo: 128 mel bins, another vocabulary, and fewer layers in the decoder; float weights. */
const sizes = {
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

/** Names and dimensions of a checkpoint of these sizes. */
function layout(): Map<string, number[]> {
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

function randomCheckpoint(tensors = layout()): Checkpoint {
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

describe('whisper: build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisper-build-'))
  const configured = (changes: object = {}) =>
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...sizes, ...changes }))
  after(() => rmSync(folder, { recursive: true }))

  it('makes an engine of other sizes from float weights, the same in both precisions', async () => {
    configured()
    const run = async (precision: 'float32' | 'int8') => {
      const plan = { ...planWhisper(folder, randomCheckpoint(), onCpu(precision)), assets: [] }
      const { open } = writeEngine('whisper', plan, folder)
      const [mel, encoder, decoder] = [await open('mel'), await open('encoder'), await open('decoder')]
      const samples = 400 + 160 * 99
      const audio = Float32Array.from({ length: samples }, (_, i) => Math.sin(i * i * 1e-5))
      const { log_mel } = await mel.run({ audio: float32(audio, [1, samples]) })
      assert.deepEqual(log_mel!.dims, [1, 128, 100])
      const floor = float32(Float32Array.of(-6), [1])
      const window = { log_mel: log_mel!, floor, frames: int64([60]) }
      const cross = await encoder.run(window, [{ slot: 0, past: 0 }], ['cross_k.0'])
      assert.deepEqual(cross['cross_k.0']!.dims, [1, 2, 50, 64])
      const feed = async (tokens: number[], past: number, rows: number[]) =>
        decoder.run(
          {
            tokens: int64(tokens, [1, tokens.length]),
            past_length: int64([past]),
            logit_rows: int64(rows),
          },
          [{ slot: 0, past }],
        )
      const whole = await feed([5, 6, 7, 8], 0, [1, 3])
      assert.deepEqual(whole.logits!.dims, [2, 301])
      await feed([5, 6], 0, [1])
      const pieces = await feed([7, 8], 2, [1])
      const last = floats(whole, 'logits').subarray(301)
      assert.ok(largestDifference(floats(pieces, 'logits'), last) < 1e-4)
      for (const session of [mel, encoder, decoder]) await session.dispose()
      return last
    }
    assert.ok(largestDifference(await run('float32'), await run('int8')) < 1e-6)
  })

  it('refuses a checkpoint with tensors that it does not use, or without one that it needs', () => {
    configured()
    const more = layout().set('model.encoder.adapter.weight', [1])
    assert.throws(
      () => planWhisper(folder, randomCheckpoint(more), onCpu('float32')),
      /model\.encoder\.adapter\.weight/,
    )
    const less = layout()
    less.delete('model.decoder.layers.0.fc1.weight')
    assert.throws(
      () => planWhisper(folder, randomCheckpoint(less), onCpu('float32')),
      /layers\.0\.fc1\.weight/,
    )
  })

  it('refuses configurations that ask for another network', () => {
    const refused: [object, RegExp][] = [
      [{ model_type: 'llama' }, /model_type = "llama"/],
      [{ activation_function: 'relu' }, /activation_function = "relu"/],
      [{ scale_embedding: true }, /scale_embedding = true/],
      [{ tie_word_embeddings: false }, /tie_word_embeddings = false/],
      [{ d_model: undefined }, /d_model/],
      [{ decoder_layers: 1.5 }, /decoder_layers = 1\.5/],
      [{ decoder_attention_heads: 3 }, /3 attention heads/],
    ]
    for (const [changes, message] of refused) {
      configured(changes)
      assert.throws(
        () => readConfig(folder),
        (error: unknown) => error instanceof SetupError && message.test(error.message),
      )
    }
    assert.throws(() => readConfig(join(folder, 'nowhere')), SetupError)
  })
})
