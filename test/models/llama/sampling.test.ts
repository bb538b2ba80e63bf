import assert from 'node:assert/strict'
import { samplingDefaults, tokenChooser } from '#src/models/llama/sampling.js'

const defaults = (generation: Record<string, unknown>) =>
  samplingDefaults(generation, 'generation_config.json')

describe('models/llama/sampling', () => {
  it("takes the file's values", () => {
    const llama3 = { do_sample: true, temperature: 0.5, top_p: 0.8, top_k: 20, repetition_penalty: 1.1 }
    assert.deepEqual(defaults(llama3), { temperature: 0.5, topP: 0.8, topK: 20, repetitionPenalty: 1.1 })
    assert.deepEqual(defaults({ do_sample: true }), { temperature: 1, topP: 1, repetitionPenalty: 1 })
    assert.equal(defaults({ do_sample: false, temperature: 0.7 }).temperature, 0)
    assert.equal(defaults({ temperature: 0.7 }).temperature, 0.7)
  })

  it('has its own where the file is silent', () => {
    assert.deepEqual(defaults({ eos_token_id: 2 }), { temperature: 0.6, topP: 0.9, repetitionPenalty: 1 })
  })

  it('refuses values out of range by name', () => {
    for (const [key, value] of Object.entries({
      temperature: -1,
      top_p: 2,
      top_k: 1.5,
      repetition_penalty: 0,
    }))
      assert.throws(() => defaults({ do_sample: true, [key]: value }), {
        name: 'SetupError',
        message: RegExp(key),
      })
  })

  it('prefers the request, and draws by its seed', () => {
    const logits = () => Float32Array.of(1, 2, 1.5)
    const sampling = defaults({ do_sample: true })
    assert.equal(tokenChooser({ temperature: 0 }, sampling, [])(logits(), []), 1)
    const draws = (seed: number) => {
      const choose = tokenChooser({ seed, temperature: 2 }, sampling, [])
      return Array.from({ length: 20 }, () => choose(logits(), []))
    }
    assert.deepEqual(draws(5), draws(5))
    assert.notDeepEqual(draws(5), draws(6))
  })

  it('penalises what the prompt and the reply have', () => {
    const sampling = { temperature: 0, topP: 1, repetitionPenalty: 2 }
    const choose = tokenChooser({}, sampling, [1])
    assert.equal(choose(Float32Array.of(1, 1.9, 1.2), []), 2)
    assert.equal(choose(Float32Array.of(1, 1.9, 1.2), [2]), 0)
  })
})
