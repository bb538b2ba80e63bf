/** Every style of the family with random weights: the graph against plain loops, and cached runs against one pass. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { planLlama } from '#src/models/llama/build.js'
import { parseLlamaConfig } from '#src/models/llama/config.js'
import { onCpu } from '#src/models/plan.js'
import { floats } from '#src/runtime/session.js'
import { buildEngine, run } from './engine.js'
import { largestDifference } from './golden.js'
import { type Config, randomTensors, referenceLogits, styles, type Tensors, writeCheckpoint } from './tiny.js'

const tokens = Array.from({ length: 21 }, (_, i) => (i * 37 + 11) % 80)

describe('models/llama: the family', () => {
  for (const [style, json] of Object.entries(styles)) {
    it(`${style}: is the reference's mathematics`, async () => {
      const tensors = randomTensors(json)
      const session = await buildEngine(writeCheckpoint(json, tensors), 'float32').open('decoder')
      const wanted = referenceLogits(parseLlamaConfig(json, 'config.json'), tensors, tokens)
      const row = (i: number) => Float32Array.from(wanted[i]!)
      const rows = [...tokens.keys()]
      const onePass = floats(await run(session, tokens, 0, rows), 'logits')
      assert.ok(onePass.some((value) => Math.abs(value) > 1))
      for (const i of rows) {
        const difference = largestDifference(onePass.slice(i * 80, (i + 1) * 80), row(i))
        assert.ok(difference < 1e-4, `token ${i}: ${difference}`)
      }

      let past = 0
      for (const count of [5, 1, 1, 9, 5]) {
        const logits = floats(
          await run(session, tokens.slice(past, past + count), past, [count - 1]),
          'logits',
        )
        past += count
        assert.ok(largestDifference(logits, row(past - 1)) < 1e-4, `after ${past} tokens in pieces`)
      }
      // Rows behind the past length are there, but do not count.
      const again = floats(await run(session, tokens.slice(7, 8), 7, [0]), 'logits')
      assert.ok(largestDifference(again, row(7)) < 1e-4, 'back at 7 tokens')
      await session.dispose()
    })
  }

  it('goes on where the state grows', async () => {
    const json = styles['SmolLM2, tied']!
    const session = await buildEngine(writeCheckpoint(json, randomTensors(json)), 'float32').open('decoder')
    const long = Array.from({ length: 300 }, (_, i) => (i * 13) % 80)
    const onePass = floats(await run(session, long, 0, [299]), 'logits')
    session.release(0)
    for (let past = 0; past < 299; past += 23) await run(session, long.slice(past, past + 23), past, [0])
    const inPieces = floats(await run(session, long.slice(299), 299, [0]), 'logits')
    assert.ok(largestDifference(inPieces, onePass) < 1e-4)
    await session.dispose()
  })

  describe('refuses', () => {
    const tied = styles['SmolLM2, tied']!
    const plan = (json: Config, change: (tensors: Tensors) => void) => {
      const tensors = randomTensors(json)
      change(tensors)
      const folder = writeCheckpoint(json, tensors)
      using weights = openCheckpoint(folder)
      return planLlama(folder, weights, onCpu('float32'))
    }
    const bias = { dims: [64], data: new Float32Array(64) }

    it('biases that config.json does not have', () => {
      const change = (tensors: Tensors) => tensors.set('model.layers.1.self_attn.q_proj.bias', bias)
      assert.throws(() => plan(tied, change), {
        name: 'SetupError',
        message: /layers\.1\.self_attn\.q_proj\.bias/,
      })
    })

    it('the want of biases that it has', () => {
      const change = (tensors: Tensors) => tensors.delete('model.layers.0.self_attn.k_proj.bias')
      assert.throws(() => plan(styles['Qwen 2, YaRN']!, change), {
        name: 'SetupError',
        message: /lacks.*k_proj/,
      })
    })

    it('tensors of another network, and missing ones', () => {
      const more = (tensors: Tensors) => tensors.set('model.layers.0.mlp.router.weight', bias)
      assert.throws(() => plan(tied, more), { name: 'SetupError', message: /mlp\.router\.weight/ })
      const fewer = (tensors: Tensors) => tensors.delete('model.layers.1.mlp.up_proj.weight')
      assert.throws(() => plan(tied, fewer), {
        name: 'SetupError',
        message: /layers\.1\.mlp\.up_proj\.weight/,
      })
    })

    it('no tied head stored once more, nor rotary tables', () => {
      plan(tied, (tensors) => {
        tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!)
        tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', bias)
      })
    })
  })
})
