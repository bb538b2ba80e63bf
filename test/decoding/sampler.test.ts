import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { argmax, logSoftmaxAt, logSumExp, Sampler, type SamplingOptions } from '#src/decoding/sampler.js'
import type { TopScores } from '#src/decoding/top.js'

const row = (...logits: number[]) => Float32Array.from(logits)

/** Bell-shaped logits, as a language model's are. */
function randomRow(length: number, seed: number): Float32Array {
  const random = seededRandom(seed)
  return Float32Array.from({ length }, () => 4 * (random() + random() + random() + random() - 2))
}

const sampler = (options: SamplingOptions) => {
  const made = new Sampler(options)
  return (logits: Float32Array) => made.fromRow(logits)
}

/** The token at which the running sum of the probabilities passes this number. */
function nth(probabilities: Map<number, number>, uniform: number): number | undefined {
  let sum = 0
  let last: number | undefined
  for (const [id, probability] of probabilities) {
    last = id
    sum += probability
    if (sum > uniform) break
  }
  return last
}

/** What the options ask for, by full sort: the probabilities after temperature, then topK, then topP. */
function reference(logits: Float32Array, options: Omit<SamplingOptions, 'random'>): Map<number, number> {
  const { temperature, topP, topK = logits.length } = options
  const top = Math.max(...logits)
  const all = [...logits].map((logit, id) => ({ id, weight: Math.exp((logit - top) / temperature) }))
  const ranked = all.sort((one, other) => other.weight - one.weight || one.id - other.id).slice(0, topK)
  const sum = (tokens: typeof ranked) => tokens.reduce((total, { weight }) => total + weight, 0)
  const target = topP * sum(ranked)
  const kept: typeof ranked = []
  let reached = 0
  for (const token of ranked) {
    if (reached >= target && kept.length > 0) break
    kept.push(token)
    reached += token.weight
  }
  const total = sum(kept)
  return new Map(kept.filter(({ weight }) => weight > 0).map(({ id, weight }) => [id, weight / total]))
}

describe('argmax', () => {
  const cases: [string, Float32Array, number][] = [
    ['the largest', row(1, 3, 2), 1],
    ['the lowest id of equal ones', row(0, 5, 5, 5), 1],
    ['what is not suppressed', row(-Infinity, -Infinity, -9), 2],
    ['+Infinity', row(1, Infinity, 2), 1],
  ]
  for (const [name, logits, id] of cases) it(`chooses ${name}`, () => assert.equal(argmax(logits), id))
})

describe('log-softmax', () => {
  it('is safe from overflow and knows suppressed tokens', () => {
    assert.ok(Math.abs(logSumExp(row(1000, 1000)) - (1000 + Math.log(2))) < 1e-9)
    assert.ok(Math.abs(logSumExp(row(-1000, -Infinity, -1000)) - (-1000 + Math.log(2))) < 1e-9)
    assert.equal(logSumExp(row(-Infinity, -Infinity)), -Infinity)
    assert.equal(logSumExp(row()), -Infinity)
    assert.equal(logSoftmaxAt(row(0, -Infinity), 1), -Infinity)
    assert.ok(Number.isNaN(logSumExp(row(1, Number.NaN))) && Number.isNaN(logSumExp(row(Number.NaN))))
  })

  it('works on a part of the row', () => {
    assert.ok(Math.abs(logSumExp(row(9, 1, 2, 9), 1, 3) - Math.log(Math.exp(1) + Math.exp(2))) < 1e-9)
    assert.equal(logSumExp(row(9, 1), 1), 1)
    assert.equal(logSumExp(row(9, 1), 1, 1), -Infinity)
  })

  it('makes probabilities that sum to 1', () => {
    const logits = randomRow(1000, 1)
    let sum = 0
    for (let id = 0; id < logits.length; id++) sum += Math.exp(logSoftmaxAt(logits, id))
    assert.ok(Math.abs(sum - 1) < 1e-12)
  })
})

describe('sampler', () => {
  const small = row(2, 1, 0, -1, 1, -Infinity, 0.5, -3)
  const ties = row(1, 1, 1, 1, 0, 0, 0, 0)
  const settings: [string, Float32Array, Omit<SamplingOptions, 'random'>][] = [
    ['everything', small, { temperature: 1, topP: 1 }],
    ['a low temperature', small, { temperature: 0.5, topP: 1 }],
    ['a high temperature', small, { temperature: 3, topP: 1 }],
    ['topP', small, { temperature: 1, topP: 0.7 }],
    ['topK', small, { temperature: 1, topP: 1, topK: 3 }],
    ['topK beyond the row', small, { temperature: 1, topP: 1, topK: 100 }],
    ['topK, then topP', small, { temperature: 0.8, topP: 0.8, topK: 4 }],
    ['topP among equals', ties, { temperature: 1, topP: 0.5 }],
    ['topK among equals', ties, { temperature: 1, topP: 1, topK: 6 }],
    ['a long row', randomRow(2000, 2), { temperature: 0.4, topP: 0.5 }],
    ['a long row, flat', randomRow(50, 3), { temperature: 100, topP: 0.5 }],
  ]
  for (const [name, logits, options] of settings) {
    it(`draws with ${name} as the definition says`, () => {
      const expected = reference(logits, options)
      const select = sampler({ ...options, random: seededRandom(11) })
      const draws = 20_000
      const found = new Map<number, number>()
      for (let index = 0; index < draws; index++) {
        const id = select(logits)
        found.set(id, (found.get(id) ?? 0) + 1)
      }
      for (const id of found.keys()) assert.ok(expected.has(id), `token ${id} was cut`)
      // Pearson's chi-square over the tokens expected at least 5 times; the bound is 4.5 standard deviations.
      const usual = [...expected].filter(([, probability]) => probability * draws >= 5)
      let chiSquare = 0
      for (const [id, probability] of usual) {
        chiSquare += ((found.get(id) ?? 0) - probability * draws) ** 2 / (probability * draws)
      }
      const bound = usual.length + 4.5 * Math.sqrt(2 * usual.length)
      assert.ok(chiSquare < bound, `chi-square ${chiSquare} exceeds ${bound}`)
    })
  }

  it('gives every token its part of [0, 1), in full-size rows', () => {
    const logits = randomRow(49152, 5)
    for (const options of [
      { temperature: 1, topP: 0.9 },
      { temperature: 0.3, topP: 0.95, topK: 50 },
      { temperature: 1, topP: 1, topK: 1000 },
      { temperature: 100, topP: 0.001 },
    ]) {
      // The draw goes through the kept ids, the likeliest first: the middle of each one's part must give that id. A token too
      // many or too few, or a wrong probability, shifts them all.
      const kept = [...reference(logits, options)]
      let value = 0
      const select = sampler({ ...options, random: () => value })
      let reached = 0
      kept.forEach(([id, probability], index) => {
        value = reached + probability / 2
        reached += probability
        if (index % Math.ceil(kept.length / 50) === 0 || index === kept.length - 1)
          assert.equal(select(logits), id)
      })
    }
  })

  const never = () => assert.fail('nothing is to be drawn')
  it('is plain argmax at temperature 0, at top_p 0 and at top_k 1', () => {
    for (const options of [
      { temperature: 0, topP: 1 },
      { temperature: 1e-320, topP: 1 },
      { temperature: 1, topP: 0 },
      { temperature: 1, topP: 1, topK: 1 },
    ]) {
      assert.equal(sampler({ ...options, random: never })(row(0, 5, 5, 1)), 1)
    }
  })

  it('draws the best token when top_p is tiny or the temperature near 0', () => {
    for (const random of [() => 0, () => 0.5, () => 1 - 2 ** -53]) {
      assert.equal(sampler({ temperature: 1, topP: 1e-9, random })(row(0, 5, 5, 1)), 1)
      assert.equal(sampler({ temperature: 1e-6, topP: 1, random })(row(0, 5, 4, 1)), 1)
      assert.equal(sampler({ temperature: 1e-300, topP: 0.9, random })(row(0, 5, 4, -Infinity)), 1)
    }
  })

  it('never draws a suppressed token, and draws a certain one', () => {
    const only = Float32Array.from({ length: 300 }, (_, id) => (id === 123 ? -50 : -Infinity))
    for (const value of [0, 0.5, 1 - 2 ** -53]) {
      for (const topP of [0.5, 1])
        assert.equal(sampler({ temperature: 1, topP, random: () => value })(only), 123)
      assert.equal(sampler({ temperature: 1, topP: 1, topK: 5, random: () => value })(only), 123)
    }
    assert.equal(sampler({ temperature: 1, topP: 1, random: () => 0.1 })(row(1, Infinity, 2)), 1)
  })

  it('serves rows of changing length and gives the same draws for the same seed', () => {
    const run = () => {
      const select = sampler({ temperature: 1, topP: 0.9, random: seededRandom('x') })
      return [10, 1000, 10, 500].map((length) => select(randomRow(length, length)))
    }
    assert.deepEqual(run(), run())
  })

  it('refuses NaN and a row in which nothing is allowed', () => {
    for (const options of [
      { temperature: 0, topP: 1 },
      { temperature: 1, topP: 0.9 },
    ]) {
      const select = sampler({ ...options, random: () => 0.5 })
      assert.throws(() => select(row(1, 2, Number.NaN)), /token 2 is not a number/)
      assert.throws(() => select(row(Number.NaN, 2)), /token 0 is not a number/)
      assert.throws(() => select(row(-Infinity, -Infinity)), /no token is allowed/)
    }
  })

  it('refuses options out of range', () => {
    const random = () => 0.5
    for (const temperature of [-1, Number.NaN, Infinity]) {
      assert.throws(() => sampler({ temperature, topP: 1, random }), RangeError)
    }
    for (const topP of [-0.1, 1.1, Number.NaN]) {
      assert.throws(() => sampler({ temperature: 1, topP, random }), RangeError)
    }
    for (const topK of [0, 1.5, -1]) {
      assert.throws(() => sampler({ temperature: 1, topP: 1, topK, random }), RangeError)
    }
  })
})

describe('sampling from the largest logits', () => {
  /** As an engine gives them: equal logits in any order, ln Σ exp in single precision and a little off. */
  function topOf(logits: Float32Array, count: number, random: () => number): TopScores {
    const order = [...logits.keys()].map((id) => ({ id, tie: random() }))
    order.sort((one, other) => logits[other.id]! - logits[one.id]! || one.tie - other.tie)
    const ids = order.slice(0, count).map(({ id }) => id)
    const logSum = Math.fround(logSumExp(logits) + (random() - 0.5) * 1e-5)
    return { ids, logits: Float32Array.from(ids, (id) => logits[id]!), logSumExp: logSum }
  }
  const pick = <T>(random: () => number, values: readonly T[]): T =>
    values[Math.floor(random() * values.length)]!

  it('is the draw from the whole row with the same random number, or asks for the row', () => {
    const random = seededRandom(21)
    /** Half of the numbers are moved next to a border between two tokens, where an error shows. */
    const nearBorder = (uniform: number, logits: Float32Array, options: Omit<SamplingOptions, 'random'>) => {
      if (random() < 0.5 || options.temperature === 0 || options.topP === 0) return uniform
      let sum = 0
      for (const probability of reference(logits, options).values()) {
        sum += probability
        if (sum > uniform) break
      }
      const step = pick(random, [1e-3, 1e-5, 1e-7, 1e-10])
      return Math.min(Math.max(sum + (random() - 0.5) * step, 0), 1 - 2 ** -53)
    }
    let decided = 0
    const rounds = 3000
    for (let round = 0; round < rounds; round++) {
      const length = pick(random, [3, 40, 64, 65, 80, 300, 1000])
      const spread = pick(random, [0.01, 1, 3, 8])
      const step = pick(random, [0, 0, 0.25, 2])
      const logits = Float32Array.from({ length }, () => {
        const logit = spread * 2 * (random() + random() + random() + random() - 2)
        return step > 0 ? Math.round(logit / step) * step : logit
      })
      if (random() < 0.2) for (let id = 0; id < length; id++) if (random() < 0.9) logits[id] = -Infinity
      logits[Math.floor(random() * length)] = pick(random, [1, 5, 20])
      const temperature = pick(random, [0, 0.3, 0.7, 1, 1, 1.5, 2])
      const topP = pick(random, [0, 0.1, 0.5, 0.9, 1, 1])
      const topK = pick(random, [undefined, undefined, undefined, 1, 5, 40, 64, 100])
      const uniform = nearBorder(pick(random, [random(), random() ** 8, 0, 1 - 2 ** -53]), logits, {
        temperature,
        topP,
        topK,
      })
      const options = { temperature, topP, topK, random: () => uniform }
      const top = topOf(logits, Math.min(64, length), random)
      const expected = sampler(options)(logits)
      if (temperature > 0 && topP > 0) {
        // Next to a border rounding may decide, in the sums of this test as well.
        const [least, most] = [1e-9, -1e-9].map((off) => nth(reference(logits, options), uniform - off))
        if (least === most) assert.equal(expected, least)
      }
      const token = new Sampler(options).fromTop(top, length)
      if (token === undefined) continue
      decided++
      assert.equal(token, expected, JSON.stringify({ length, spread, step, ...options, uniform }))
    }
    assert.ok(decided > rounds / 3, `${decided} of ${rounds} decided`)
  })

  it('decides nearly always where a language model is as sure as it usually is', () => {
    const random = seededRandom(3)
    const logits = Float32Array.from({ length: 49152 }, () => 2 * (random() + random() + random() - 3))
    for (let i = 0; i < 30; i++) logits[i * 997] = 14 - i * 0.5
    const top = topOf(logits, 64, random)
    for (const [temperature, topP] of [
      [0.6, 0.9],
      [0.6, 1],
      [1, 0.95],
    ] as const) {
      const fromTop = new Sampler({ temperature, topP, random })
      const asked = Array.from({ length: 2000 }, () => fromTop.fromTop(top, logits.length)).filter(
        (token) => token === undefined,
      )
      assert.ok(asked.length < 20, `${asked.length} of 2000 at ${temperature}, ${topP}`)
    }
  })

  it('keeps the random number of a token for the row that it asks for, and takes a new one for the next', () => {
    const logits = randomRow(5000, 4)
    const [first, second] = [seededRandom(5), seededRandom(5)]
    const [asking, plain] = [
      new Sampler({ temperature: 1, topP: 1, random: first }),
      new Sampler({ temperature: 1, topP: 1, random: second }),
    ]
    const top = topOf(logits, 64, seededRandom(1))
    let asked = 0
    for (let i = 0; i < 40; i++) {
      const token = asking.fromTop(top, logits.length)
      if (token === undefined) asked++
      assert.equal(token ?? asking.fromRow(logits), plain.fromRow(logits))
    }
    assert.ok(asked > 0 && asked < 41)
  })

  it('refuses NaN and a row in which nothing is allowed', () => {
    const top = (logit: number, logSum: number) => ({
      ids: [4],
      logits: Float32Array.of(logit),
      logSumExp: logSum,
    })
    for (const temperature of [0, 1]) {
      const made = new Sampler({ temperature, topP: 1, random: () => 0.5 })
      assert.throws(() => made.fromTop(top(Number.NaN, 1), 100), /not a number/)
      assert.throws(() => made.fromTop(top(1, Number.NaN), 100), /not a number/)
      assert.throws(() => made.fromTop(top(-Infinity, -Infinity), 100), /no token is allowed/)
      assert.equal(made.fromTop(top(Infinity, Infinity), 1), 4)
    }
  })
})
