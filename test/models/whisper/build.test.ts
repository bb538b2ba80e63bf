import assert from 'node:assert/strict'
import { join } from 'node:path'
import { SetupError } from '#src/errors.js'
import type { ModelContext } from '#src/models/model.js'
import { onCpu, type PlanOptions, type Precision } from '#src/models/plan.js'
import { planWhisper } from '#src/models/whisper/build.js'
import { readConfig } from '#src/models/whisper/config.js'
import { float32, floats, int64 } from '#src/runtime/session.js'
import { writeEngine } from '../engine.js'
import { portableEngine } from './engine.js'
import { largestDifference, relativeError } from './golden.js'
import { folderOf, layout, randomCheckpoint, turbo } from './miniature.js'

describe('whisper: build', () => {
  const folder = folderOf(turbo)

  const plan = (options: PlanOptions) => ({
    ...planWhisper(folder, randomCheckpoint(layout(turbo)), options),
    assets: [],
  })
  const onGpu = (precision: Precision): PlanOptions => ({
    target: 'tensorrt',
    precision,
    slots: 2,
    stateBytes: 2 ** 20,
  })

  it('makes an engine of other sizes from float weights, the same on both runtimes', async () => {
    const lastLogits = async ({ open }: ModelContext) => {
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
    const wanted = await lastLogits(writeEngine('whisper', plan(onCpu('float32')), folder))
    const whole = relativeError(await lastLogits(writeEngine('whisper', plan(onCpu('int8')), folder)), wanted)
    assert.ok(whole < 1e-6)
    const limits = { float32: 1e-6, float16: 1e-3, bfloat16: 1e-2, int8: 3e-3, int4: 0.05, fp8: 0.02 }
    for (const [precision, limit] of Object.entries(limits)) {
      const portable = portableEngine(plan(onGpu(precision as Precision)), folder)
      const error = relativeError(await lastLogits(portable), wanted)
      assert.ok(error < limit, `${precision} differs by a share of ${error}`)
    }
  })

  it('refuses a checkpoint with tensors that it does not use, or without one that it needs', () => {
    const more = layout(turbo).set('model.encoder.adapter.weight', [1])
    assert.throws(
      () => planWhisper(folder, randomCheckpoint(more), onCpu('float32')),
      /model\.encoder\.adapter\.weight/,
    )
    const less = layout(turbo)
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
      const other = folderOf({ ...turbo, ...changes })
      assert.throws(
        () => readConfig(other),
        (error: unknown) => error instanceof SetupError && message.test(error.message),
      )
    }
    assert.throws(() => readConfig(join(folder, 'nowhere')), SetupError)
  })
})
