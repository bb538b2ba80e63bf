import assert from 'node:assert/strict'
import type { GenerateRequest } from '#src/models/llama/request.js'
import { choosing, samplingDefaults } from '#src/models/llama/sampling.js'

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

  describe('of a request', () => {
    const request = { messages: [], maxTokens: 9 }
    const sampling = { temperature: 0.5, topP: 0.9, topK: 7, repetitionPenalty: 1.2 }
    const choose = (given: Partial<GenerateRequest>, index = 0) =>
      choosing({ ...request, ...given }, sampling).options(index)
    const draws = (given: Partial<GenerateRequest>, index = 0) => {
      const { random } = choose(given, index)
      return Array.from({ length: 9 }, random)
    }

    it("is the request's where it says something, else the model's", () => {
      const { random: _, ...plain } = choose({})
      assert.deepEqual(plain, {
        temperature: 0.5,
        topP: 0.9,
        topK: 7,
        frequency: 0,
        presence: 0,
        repetition: 1.2,
        bias: [],
        topLogprobs: undefined,
      })
      const { temperature, topP, frequency, presence, bias, topLogprobs } = choose({
        temperature: 0,
        topP: 1,
        frequencyPenalty: -1,
        presencePenalty: 2,
        logitBias: { 7: -100, 99: 3.5 },
        topLogprobs: 0,
      })
      assert.deepEqual([temperature, topP, frequency, presence, topLogprobs], [0, 1, -1, 2, 0])
      assert.deepEqual(bias, [
        [7, -100],
        [99, 3.5],
      ])
    })

    it('draws by the seed and the index of the reply', () => {
      assert.deepEqual(draws({ seed: 5 }), draws({ seed: 5 }))
      assert.deepEqual(draws({ seed: 5 }, 2), draws({ seed: 5, choices: 3 }, 2))
      assert.notDeepEqual(draws({ seed: 5 }), draws({ seed: 6 }))
      assert.notDeepEqual(draws({ seed: 5 }), draws({ seed: 5 }, 1))
      assert.notDeepEqual(draws({ seed: 5 }, 1), draws({ seed: 5 }, 2))
      assert.notDeepEqual(draws({}), draws({}))
    })

    it('is reproducible by a seed, or where nothing is drawn, whoever says so', () => {
      const isReproducible = (given: Partial<GenerateRequest>, more = {}) =>
        choosing({ ...request, ...given }, { ...sampling, ...more }).reproducible
      assert.equal(isReproducible({}), false)
      assert.equal(isReproducible({ temperature: 1, topP: 0.5 }), false)
      for (const given of [{ seed: 0 }, { temperature: 0 }, { topP: 0 }])
        assert.equal(isReproducible(given), true, JSON.stringify(given))
      for (const more of [{ temperature: 0 }, { topP: 0 }, { topK: 1 }])
        assert.equal(isReproducible({}, more), true, JSON.stringify(more))
      assert.equal(isReproducible({ temperature: 1 }, { temperature: 0 }), false)
    })
  })
})
