import assert from 'node:assert/strict'
import { ropeFrequencies, ropeTable } from '#src/models/llama/rope.js'
import { readRope } from '#src/models/llama/rope-config.js'

const near = (actual: number, wanted: number, relative = 1e-6) =>
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${actual} is not ${wanted}`)
const read = (json: Record<string, unknown>, context = 8192, headDim = 64, layerType = 'full_attention') =>
  readRope(
    { max_position_embeddings: context, ...json },
    { headDim, layerType, partial: true },
    'config.json',
  )

describe('models/llama/rope', () => {
  it('has the plain frequencies', () => {
    const plain = ropeFrequencies(read({ rope_theta: 1e5 }))
    assert.equal(plain.length, 32)
    assert.equal(plain[0], 1)
    near(plain[16]!, 1e5 ** -0.5)
    near(plain[31]!, 1e5 ** (-31 / 32))
    assert.equal(read({}).theta, 10000)
  })

  it('turns by position, in tables of cosines and sines', () => {
    const rope = read({}, 8192, 8)
    const [cos, sin] = [ropeTable('cos', rope, 3), ropeTable('sin', rope, 3)]
    assert.equal(cos.length, 12)
    assert.deepEqual([...cos.slice(0, 4)], [1, 1, 1, 1])
    near(sin[2 * 4 + 1]!, Math.sin(0.2))
    near(cos[2 * 4 + 2]!, Math.cos(0.02))
  })

  it('divides all by the factor in linear scaling, however spelt', () => {
    const rope_theta = 1e4
    for (const json of [
      { rope_theta, rope_scaling: { type: 'linear', factor: 4 } },
      { rope_theta, rope_scaling: { rope_type: 'linear', factor: 4 } },
      { rope_parameters: { rope_theta, rope_type: 'linear', factor: 4 } },
    ])
      near(ropeFrequencies(read(json))[3]!, 1e4 ** (-3 / 32) / 4)
  })

  it('stretches only long waves for Llama 3.2', () => {
    const rope_scaling = {
      factor: 32,
      high_freq_factor: 4,
      low_freq_factor: 1,
      original_max_position_embeddings: 8192,
      rope_type: 'llama3',
    }
    const scaled = ropeFrequencies(read({ rope_theta: 500000, rope_scaling }, 131072))
    const plain = (i: number) => 500000 ** (-i / 32)
    // Waves: 2π/plain; below 2048 kept, above 8192 divided, between them blended.
    near(scaled[0]!, 1)
    near(scaled[14]!, plain(14))
    near(scaled[18]!, plain(18) / 32)
    near(scaled[31]!, plain(31) / 32)
    for (const i of [15, 16, 17]) {
      const keep = (8192 * plain(i)) / (2 * Math.PI) / 3 - 1 / 3
      assert.ok(keep > 0 && keep < 1)
      near(scaled[i]!, plain(i) * (keep + (1 - keep) / 32), 1e-5)
    }
  })

  it('has the ramp and the magnitude of YaRN', () => {
    const rope_scaling = { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 }
    const rope = read({ rope_theta: 1e6, rope_scaling }, 32768, 128)
    assert.ok(rope.scaling.type === 'yarn')
    near(rope.scaling.attentionFactor, 0.1 * Math.log(4) + 1)
    const scaled = ropeFrequencies(rope)
    const plain = (i: number) => 1e6 ** (-i / 64)
    // 128·ln(32768 / 64π) / 2 ln 1e6 = 23.6 and 128·ln(32768 / 2π) / 2 ln 1e6 = 39.6: the ramp is from 23 to 40.
    near(scaled[23]!, plain(23))
    near(scaled[40]!, plain(40) / 4)
    near(scaled[30]!, plain(30) * (1 - 7 / 17) + ((plain(30) / 4) * 7) / 17)
    near(ropeTable('cos', rope, 1)[0]!, rope.scaling.attentionFactor)
    const given = read({ rope_scaling: { ...rope_scaling, attention_factor: 1.5 } })
    assert.ok(given.scaling.type === 'yarn' && given.scaling.attentionFactor === 1.5)
    const equal = read({ rope_scaling: { ...rope_scaling, mscale: 1, mscale_all_dim: 1 } })
    assert.ok(equal.scaling.type === 'yarn' && equal.scaling.attentionFactor === 1)
  })

  it('turns part of a head', () => {
    const rope = read({ partial_rotary_factor: 0.75 })
    assert.equal(rope.width, 48)
    near(ropeFrequencies(rope)[23]!, 10000 ** (-46 / 48))
    for (const factor of [0.68, 2])
      assert.throws(() => read({ partial_rotary_factor: factor }), { message: /partial_rotary_factor/ })
  })

  it("has each pair's own factor in LongRoPE, for as long as the training's context", () => {
    const short_factor = Array.from({ length: 32 }, (_, i) => 1 + i / 4)
    const rope_scaling = {
      type: 'longrope',
      short_factor,
      long_factor: short_factor.map((factor) => 9 * factor),
    }
    const rope = read({ original_max_position_embeddings: 4096, rope_scaling }, 131072)
    assert.equal(rope.context, 4096)
    near(ropeFrequencies(rope)[7]!, 10000 ** (-7 / 32) / 2.75)
    near(ropeTable('cos', rope, 1)[0]!, Math.sqrt(1 + Math.log(32) / Math.log(4096)))
    for (const type of ['su', 'yarn'])
      assert.deepEqual(
        read({ original_max_position_embeddings: 4096, rope_scaling: { ...rope_scaling, type } }, 131072),
        rope,
      )
    const few = { ...rope_scaling, short_factor: [1, 2] }
    assert.throws(() => read({ rope_scaling: few }), {
      name: 'SetupError',
      message: /short_factor \[1,2\]: 32/,
    })
  })

  it('is apart for layers with a window, scaled or not, in both spellings of Gemma 3', () => {
    const older = {
      rope_theta: 1e6,
      rope_local_base_freq: 1e4,
      rope_scaling: { rope_type: 'linear', factor: 8 },
    }
    const newer = {
      ...older,
      rope_scaling: undefined,
      rope_parameters: {
        full_attention: { rope_theta: 1e6, rope_type: 'linear', factor: 8 },
        sliding_attention: { rope_theta: 1e4, rope_type: 'default' },
      },
    }
    for (const json of [older, newer]) {
      const [all, near] = ['full_attention', 'sliding_attention'].map((type) => read(json, 8192, 64, type))
      assert.deepEqual([all!.theta, all!.scaling], [1e6, { type: 'linear', factor: 8 }])
      assert.deepEqual([near!.theta, near!.scaling], [1e4, { type: 'none' }])
    }
  })
})
