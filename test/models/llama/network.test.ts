/** The network against the reference's numbers, in the exact form and in the one that is served. */
import assert from 'node:assert/strict'
import { argmax, logSumExp } from '#src/decoding/sampler.js'
import { floats, type Session } from '#src/runtime/session.js'
import { buildEngine, forced, run, served, servedEngine, smollm2 } from './engine.js'
import { chats, type GoldenChat, kullbackLeibler, largestDifference, numbers } from './golden.js'

/** Mean Kullback-Leibler divergence that quantised activations may cost; measured: docs/cpu-forms.md. */
const MEAN_KL = 4e-3
const states = ['hidden_0', 'hidden_14', 'hidden_29', 'hidden_norm']

describe('models/llama: SmolLM2 against the reference', () => {
  let exact: Session
  let int8: Session
  /** Logits of the 64 steps, exact and as served. */
  const wanted = new Map<GoldenChat, Float32Array[]>()
  const actual = new Map<GoldenChat, Float32Array[]>()

  before(async function () {
    this.timeout(120_000)
    exact = await buildEngine(smollm2, 'float32', { observed: true }).open('decoder')
    for (const chat of chats) wanted.set(chat, await forced(exact, chat.prompt_ids, chat.greedy_ids))
    int8 = await servedEngine().open('decoder')
    for (const chat of chats) actual.set(chat, await served(int8, chat.prompt_ids, chat.greedy_ids))
  })
  after(async () => {
    await exact?.dispose()
    await int8?.dispose()
  })

  for (const chat of chats) {
    it(`has the hidden states and logits behind the prompt of "${chat.name}"`, async () => {
      const rows = chat.prompt_ids.length
      const names = states.map((name) => `observed.${name}`)
      const fetches = await run(exact, chat.prompt_ids, 0, [rows - 1], ['logits', ...names])
      for (const name of states) {
        const last = floats(fetches, `observed.${name}`).slice((rows - 1) * 576)
        assert.ok(largestDifference(last, numbers(chat, name)) < 1e-2, name)
      }
      const golden = numbers(chat, 'logits_step0')
      assert.ok(largestDifference(floats(fetches, 'logits'), golden) < 1e-3, 'prompt in one pass')
      assert.ok(largestDifference(wanted.get(chat)![0]!, golden) < 1e-3, 'prompt in pieces')
    })

    it(`writes the tokens of "${chat.name}" with their probabilities`, () => {
      const steps = wanted.get(chat)!
      assert.equal(steps.length, 64)
      for (const [i, row] of steps.entries()) {
        if (chat.margins[i]! > 0.01) assert.equal(argmax(row), chat.greedy_ids[i], `step ${i}`)
        if (i >= chat.top10_ids.length) continue
        const all = logSumExp(row)
        for (const [k, id] of chat.top10_ids[i]!.entries()) {
          assert.ok(Math.abs(row[id]! - chat.top10_logits[i]![k]!) < 1e-3, `step ${i}, logit of ${id}`)
          assert.ok(
            Math.abs(row[id]! - all - chat.top10_logprobs[i]![k]!) < 1e-3,
            `step ${i}, log-softmax of ${id}`,
          )
        }
      }
    })

    it(`in the served form differs on "${chat.name}" only where two tokens are near`, () => {
      for (const [i, row] of actual.get(chat)!.entries())
        if (argmax(row) !== chat.greedy_ids[i])
          assert.ok(chat.margins[i]! < 0.25, `step ${i} differs at a margin of ${chat.margins[i]}`)
    })
  }

  it('gives the same logits token by token as in one pass', async () => {
    const chat = chats.find(({ name }) => name === 'count')!
    const steps = await served(exact, chat.prompt_ids, chat.greedy_ids)
    for (const [i, row] of wanted.get(chat)!.entries())
      assert.ok(largestDifference(steps[i]!, row) < 1e-3, `step ${i}`)
  })

  it('loses little in the served form', () => {
    let divergence = 0
    let same = 0
    let steps = 0
    for (const chat of chats)
      for (const [i, row] of actual.get(chat)!.entries()) {
        const exactRow = wanted.get(chat)![i]!
        divergence += kullbackLeibler(exactRow, row)
        same += argmax(row) === argmax(exactRow) ? 1 : 0
        steps++
      }
    assert.ok(divergence / steps < MEAN_KL, `mean divergence ${divergence / steps}`)
    assert.ok(same / steps > 0.97, `${same} of ${steps} first choices are the same`)
  })
})
