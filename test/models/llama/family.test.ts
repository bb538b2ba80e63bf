/** Every family against the numbers of its reference, on ONNX Runtime in float32; and what is refused of a checkpoint. */
import assert from 'node:assert/strict'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { argmax } from '#src/decoding/sampler.js'
import { attendsToPrompts } from '#src/graph/cached-attention.js'
import { planLlama } from '#src/models/llama/build.js'
import { onCpu } from '#src/models/plan.js'
import { floats, type Session } from '#src/runtime/session.js'
import { buildEngine, run } from './engine.js'
import { largestDifference } from './golden.js'
import { assertEachAsAlone } from './tensorrt.js'
import { type Config, miniature, miniatures, type Tensors, writeCheckpoint } from './tiny.js'

const limit = 1e-4

describe('models/llama: the family', () => {
  for (const { name, config, tensors, prompt, logits, greedy, margins, after: last } of miniatures)
    describe(name, () => {
      let session: Session
      before(async () => {
        session = await buildEngine(writeCheckpoint(config, tensors()), 'float32').open('decoder')
      })
      after(() => session?.dispose())

      it("has the reference's logits of a prompt in one pass", async () => {
        const all = floats(await run(session, prompt, 0, [...logits.keys()]), 'logits')
        assert.ok(all.some((value) => Math.abs(value) > 1))
        for (const [i, [row, wanted]] of [...logits].entries()) {
          const difference = largestDifference(all.slice(i * 96, (i + 1) * 96), wanted)
          assert.ok(difference < limit, `row ${row}: ${difference}`)
        }
      })

      it('and in pieces, and back', async () => {
        let past = 0
        for (const count of [8, 1, 7, 8, 1, 7, 8]) {
          const piece = prompt.slice(past, past + count)
          const row = floats(await run(session, piece, past, [count - 1]), 'logits')
          past += count
          assert.ok(largestDifference(row, logits.get(past - 1)!) < limit, `after ${past} tokens`)
        }
        // Rows behind the past length are there, but do not count.
        const again = floats(await run(session, prompt.slice(15, 24), 15, [8]), 'logits')
        assert.ok(largestDifference(again, logits.get(23)!) < limit, 'back at 15 tokens')
      })

      it('writes the tokens of the reference', async () => {
        let row = floats(await run(session, prompt, 0, [prompt.length - 1]), 'logits')
        for (const [i, token] of greedy.entries()) {
          assert.equal(argmax(row), token, `token ${i} of margin ${margins[i]}`)
          row = floats(await run(session, [token], prompt.length + i, [0]), 'logits')
        }
        assert.ok(largestDifference(row, last) < limit)
      })
    })

  it('goes on where the state grows', async () => {
    const { config, tensors } = miniature('Gemma 3')
    const folder = writeCheckpoint({ ...config, max_position_embeddings: 512 }, tensors())
    const session = await buildEngine(folder, 'float32').open('decoder')
    const long = Array.from({ length: 300 }, (_, i) => (i * 13) % 96)
    const onePass = floats(await run(session, long, 0, [299]), 'logits')
    session.release(0)
    for (let past = 0; past < 299; past += 23) await run(session, long.slice(past, past + 23), past, [0])
    const inPieces = floats(await run(session, long.slice(299), 299, [0]), 'logits')
    assert.ok(largestDifference(inPieces, onePass) < limit)
    await session.dispose()
  })

  for (const name of ['Qwen 3', 'Gemma 2', 'Gemma 3'])
    it(`${name}: gives each of several sequences what it gives it alone`, async () => {
      const { config, tensors } = miniature(name)
      const session = await buildEngine(writeCheckpoint(config, tensors()), 'float32').open('decoder')
      await assertEachAsAlone(session)
      await session.dispose()
    })

  it('reads prompts with heads of a width that the form for prompts does not know, too', async () => {
    const { config, tensors, prompt } = miniature('Mistral')
    const width = 12
    assert.equal(attendsToPrompts(width), false)
    const narrow = tensors()
    for (const [name, { dims, data }] of narrow) {
      const kind = /self_attn\.([qkvo])_proj/.exec(name)?.[1]
      if (!kind) continue
      const [rows, columns] = kind === 'o' ? [dims[0]!, dims[1]! / 2] : [dims[0]! / 2, dims[1]!]
      narrow.set(name, { dims: [rows, columns], data: data.slice(0, rows * columns) })
    }
    const folder = writeCheckpoint({ ...config, head_dim: width }, narrow)
    const session = await buildEngine(folder, 'float32').open('decoder')
    const inPieces = async (length: number) => {
      let row: Float32Array = new Float32Array()
      for (let past = 0; past < prompt.length; past += length) {
        const piece = prompt.slice(past, past + length)
        row = floats(await run(session, piece, past, [piece.length - 1]), 'logits')
      }
      return row
    }
    const bySteps = await inPieces(1)
    assert.ok(bySteps.some((value) => Math.abs(value) > 0.1))
    for (const length of [7, prompt.length])
      assert.ok(largestDifference(await inPieces(length), bySteps) < limit, `pieces of ${length}`)
    await session.dispose()
  })

  const plan = (name: string, change: (tensors: Tensors) => void, more: Config = {}) => {
    const { config, tensors: make } = miniature(name)
    const tensors = make()
    change(tensors)
    const folder = writeCheckpoint({ ...config, ...more }, tensors)
    using weights = openCheckpoint(folder)
    return planLlama(folder, weights, onCpu('float32'))
  }
  const vector = (length: number) => ({ dims: [length], data: new Float32Array(length) })

  describe('refuses', () => {
    it('biases that config.json does not have', () => {
      const change = (tensors: Tensors) => tensors.set('model.layers.1.self_attn.q_proj.bias', vector(64))
      const message = /has model\.layers\.1\.self_attn\.q_proj\.bias/
      assert.throws(() => plan('Llama 2', change), { name: 'SetupError', message })
    })

    it('the want of biases that it has', () => {
      const change = (tensors: Tensors) => tensors.delete('model.layers.0.self_attn.k_proj.bias')
      assert.throws(() => plan('Qwen 2', change), { name: 'SetupError', message: /lacks.*k_proj\.bias/ })
    })

    it('tensors of another network, missing ones, and others of another size', () => {
      const more = (tensors: Tensors) => tensors.set('model.layers.0.mlp.router.weight', vector(64))
      assert.throws(() => plan('Qwen 3', more), { name: 'SetupError', message: /mlp\.router\.weight/ })
      const vision = (tensors: Tensors) => tensors.set('vision_tower.patch.weight', vector(64))
      assert.throws(() => plan('Qwen 3', vision), { name: 'SetupError', message: /vision_tower/ })
      const fewer = (tensors: Tensors) => tensors.delete('model.layers.1.mlp.up_proj.weight')
      assert.throws(() => plan('Qwen 3', fewer), { name: 'SetupError', message: /layers\.1\.mlp\.up_proj/ })
      const other = (tensors: Tensors) => tensors.set('model.norm.weight', vector(32))
      assert.throws(() => plan('Qwen 3', other), {
        name: 'SetupError',
        message: /model\.norm\.weight is \[32\], but .* \[64\]/,
      })
    })
  })

  it('takes a tied head that is stored once more, and rotary tables', () => {
    plan('Qwen 3', (tensors) => {
      tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!)
      tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', vector(16))
    })
  })

  it('ties the head to the embedding where nothing is said and none is there', () => {
    const { graphs } = plan('Llama 2', (tensors) => tensors.delete('lm_head.weight'))
    assert.ok(graphs[0]!.graph.used.has('model.embed_tokens.weight'))
    assert.throws(
      () => plan('Llama 2', (tensors) => tensors.delete('lm_head.weight'), { tie_word_embeddings: false }),
      {
        name: 'SetupError',
        message: /lacks lm_head\.weight/,
      },
    )
  })

  for (const [layout, rename] of Object.entries({
    'as first published': (name: string) => `language_model.${name}`,
    'as transformers writes it now': (name: string) => name.replace('model.', 'model.language_model.'),
  }))
    it(`reads the text half of a checkpoint of Gemma 3 that sees, too, ${layout}`, async () => {
      const { config, tensors, prompt, logits } = miniature('Gemma 3')
      const renamed: Tensors = new Map([...tensors()].map(([name, tensor]) => [rename(name), tensor]))
      for (const name of ['vision_tower.embeddings.weight', 'multi_modal_projector.mm_soft_emb_norm.weight'])
        renamed.set(layout.startsWith('as first') ? name : `model.${name}`, vector(4))
      const { model_type, ...text_config } = config
      const folder = writeCheckpoint({ model_type: 'gemma3', text_config, vision_config: {} }, renamed)
      const session = await buildEngine(folder, 'float32').open('decoder')
      const row = floats(await run(session, prompt, 0, [39]), 'logits')
      await session.dispose()
      assert.ok(largestDifference(row, logits.get(39)!) < limit)
    })
})
