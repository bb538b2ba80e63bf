/** SmolLM2's graph for TensorRT against the reference's numbers: exact in float32, and what each precision loses. */
import assert from 'node:assert/strict'
import { argmax, logSumExp } from '#src/decoding/sampler.js'
import { loadLlama } from '#src/models/llama/generate.js'
import type { GenerateEvent } from '#src/models/llama/request.js'
import type { ModelContext } from '#src/models/model.js'
import type { Precision } from '#src/models/plan.js'
import { floats, type Session } from '#src/runtime/session.js'
import { smollm2 } from './engine.js'
import { chats, type GoldenChat, kullbackLeibler, largestDifference, numbers } from './golden.js'
import { continuous, openTensorrt, prefill, step } from './tensorrt.js'

const sequencesOf = (chosen: readonly GoldenChat[]) =>
  chosen.map(({ prompt_ids, greedy_ids }) => ({ prompt: prompt_ids, reply: greedy_ids }))
const short = chats.filter(({ prompt_ids }) => prompt_ids.length < 100)
const steps = 16

describe('models/llama for TensorRT: SmolLM2 against the reference', () => {
  let exact: Session
  /** Logits of all chats in one batch. */
  let together: Float32Array[][]

  before(async function () {
    this.timeout(240_000)
    const sizes = { slots: chats.length, stateRows: 640, observed: true }
    exact = await openTensorrt(smollm2, 'float32', sizes)
    together = await continuous(exact, sequencesOf(chats), { steps })
  })
  after(() => exact?.dispose())

  for (const [i, chat] of chats.entries())
    it(`writes "${chat.name}" among others, with the logits of the reference`, () => {
      assert.ok(largestDifference(together[i]![0]!, numbers(chat, 'logits_step0')) < 1e-3)
      for (const [k, row] of together[i]!.entries()) {
        if (chat.margins[k]! > 0.01) assert.equal(argmax(row), chat.greedy_ids[k], `step ${k}`)
        const all = logSumExp(row)
        for (const [n, id] of (chat.top10_ids[k] ?? []).entries()) {
          assert.ok(Math.abs(row[id]! - chat.top10_logits[k]![n]!) < 1e-3, `step ${k}, logit of ${id}`)
          assert.ok(Math.abs(row[id]! - all - chat.top10_logprobs[k]![n]!) < 1e-3, `step ${k}, ${id}`)
        }
      }
    })

  it('has the hidden states of the reference behind a prompt', async () => {
    for (const chat of short) {
      const names = ['hidden_0', 'hidden_14', 'hidden_29', 'hidden_norm']
      const outputs = names.map((name) => `observed.${name}`)
      const fetches = await step(exact, [chat.prompt_ids], [0], 0, outputs)
      for (const name of names) {
        const last = floats(fetches, `observed.${name}`).slice((chat.prompt_ids.length - 1) * 576)
        assert.ok(largestDifference(last, numbers(chat, name)) < 1e-2, name)
      }
    }
  })

  it('gives each of three sequences what it gives it alone, prompt in small pieces', async () => {
    for (const chat of short) {
      exact.release(3)
      const row = await prefill(exact, chat.prompt_ids, 3, 32)
      const among = together[chats.indexOf(chat)]!
      assert.ok(largestDifference(row, among[0]!) < 1e-3)
      const past = chat.prompt_ids.length
      for (const [k, token] of chat.greedy_ids.slice(0, 4).entries()) {
        const alone = floats(await step(exact, [[token]], [past + k], 3), 'logits')
        assert.ok(largestDifference(alone, among[k + 1]!) < 1e-3, `${chat.name}, step ${k}`)
      }
    }
  })

  /**
   * Mean Kullback-Leibler divergence that a precision may cost, and the margin of two tokens whose order it may turn:
   * about twice what was measured over all chats, docs/tensorrt-forms.md.
   */
  const losses: Partial<Record<Precision, readonly [divergence: number, margin: number]>> = {
    float16: [3e-5, 0.02],
    bfloat16: [1.5e-3, 0.15],
    int8: [5e-3, 0.2],
    int4: [3e-5, 0.02],
    fp8: [3e-2, 1.5],
  }
  for (const [precision, [most, margin]] of Object.entries(losses))
    it(`${precision}: loses little, and differs only where two tokens are near`, async function () {
      this.timeout(120_000)
      const session = await openTensorrt(smollm2, precision as Precision, {
        slots: short.length,
        stateRows: 128,
      })
      const rounded = await continuous(session, sequencesOf(short), { steps })
      await session.dispose()
      let divergence = 0
      for (const [i, chat] of short.entries())
        for (const [k, row] of rounded[i]!.entries()) {
          const loss = kullbackLeibler(together[chats.indexOf(chat)]![k]!, row)
          assert.ok(loss > 0, 'nothing was rounded')
          divergence += loss / short.length / steps
          if (argmax(row) !== chat.greedy_ids[k])
            assert.ok(
              chat.margins[k]! < margin,
              `"${chat.name}" differs at step ${k} of margin ${chat.margins[k]}`,
            )
        }
      assert.ok(divergence < most, `mean divergence ${divergence}`)
    })

  it('answers by the run half, within the rows that the engine has', async () => {
    const context: ModelContext = {
      folder: smollm2,
      slots: 1,
      stateBytes: 2 ** 30,
      open: async () => exact,
      manifest: {
        model: 'test',
        family: 'llama',
        runtime: 'tensorrt',
        builder: 'test',
        options: { precision: 'float32' },
        parameters: 0,
        sources: {},
        files: {},
        graphs: { decoder: exact.signature },
      },
    }
    const model = await loadLlama(context)
    assert.equal(model.facts.contextTokens, 640)
    assert.equal(model.facts.stateBytesPerToken, 30 * 2 * 3 * 64 * 4)
    const chat = chats.find(({ name }) => name === 'count')!
    const events: GenerateEvent[] = []
    const request = { messages: chat.messages, maxTokens: 12, temperature: 0 }
    for await (const event of model.run(request, new AbortController().signal)) events.push(event)
    const text = events.flatMap((event) => (event.kind === 'text' ? [event.text] : [])).join('')
    assert.ok(text.length > 10 && chat.greedy_text.startsWith(text), text)
  })
})
