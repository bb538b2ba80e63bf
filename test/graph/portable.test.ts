/** The rewriting that proves graphs for TensorRT: it must compute what TensorRT's own operators are to compute. */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { type FloatType, Graph, type Value } from '#src/graph/graph.js'
import { add, cast, exp, matMul, mul, sub } from '#src/graph/ops.js'
import { attention, kvCacheUpdate } from '#src/graph/tensorrt.js'
import { float32, floats, type HostTensor, int64 } from '#src/runtime/session.js'
import { floatWeight, weightsOf } from './evaluate.js'
import { openPortable } from './portable-session.js'

const random = seededRandom(5)
const numbers = (n: number) => Float32Array.from({ length: n }, () => 4 * (random() - 0.5))
const range = [1, 1, 9] as const

describe('graph/portable', () => {
  /** What `build` makes of x [n], computed in `float` behind casts. */
  async function computed(
    float: FloatType,
    x: Float32Array,
    build: (x: Value, g: Graph) => Value,
    rounding = true,
  ): Promise<Float32Array> {
    const weights = weightsOf({ w: floatWeight([1], [1 / 3]) })
    const graph = new Graph('test', { weights, target: 'tensorrt', float })
    const input = graph.input('x', 'float32', ['n'])
    graph.output('y', graph.cast(build(graph.asFloat(input), graph), 'float32'), ['n'])
    const session = await openPortable(
      { graph, profiles: [{ name: 'any', sizes: { n: range } }] },
      { rounding },
    )
    const y = floats(await session.run({ x: float32(x, [x.length]) }), 'y')
    await session.dispose()
    return y
  }
  const f = Math.fround

  it('rounds inputs, weights and every result to the type that the graph has them in', async () => {
    const product = (x: Value, g: Graph) => mul(mul(x, g.weight('w')), x)
    // 2049 = 2^11 + 1 lies between two numbers of 11 bits, 257 between two of 8; the even one is taken.
    const third = { float16: 1365 / 4096, bfloat16: 171 / 512 }
    assert.deepEqual(
      await computed('float16', Float32Array.of(2049, 2051), (x) => x),
      Float32Array.of(2048, 2052),
    )
    assert.deepEqual(
      await computed('bfloat16', Float32Array.of(257, 259), (x) => x),
      Float32Array.of(256, 260),
    )
    // 3 · third: 1365 · 3 / 4096 = 4095 / 4096 needs 12 bits: rounded up to 1; then 1 · 3.
    assert.deepEqual(await computed('float16', Float32Array.of(3), product), Float32Array.of(3))
    // 171 · 3 / 512 = 513 / 512 needs 10 bits: 1.
    assert.deepEqual(await computed('bfloat16', Float32Array.of(3), product), Float32Array.of(3))
    assert.deepEqual(
      await computed('float32', Float32Array.of(3), product),
      Float32Array.of(f(f(3 * f(1 / 3)) * 3)),
    )
    assert.notEqual(3 * third.float16 * 3, 3)
    assert.notEqual(3 * third.bfloat16 * 3, 3)
  })

  it('knows no rounding if asked for none, and none within an island of float32', async () => {
    const x = Float32Array.of(2049.25)
    assert.deepEqual(await computed('float16', x, (x) => x, false), x)
    const small = (x: Value) => sub(add(x, 2 ** -12), 1)
    assert.deepEqual(await computed('float16', Float32Array.of(1), small), Float32Array.of(0))
    const island = (x: Value, g: Graph) => g.float32([x], small)
    assert.deepEqual(await computed('float16', Float32Array.of(1), island), Float32Array.of(2 ** -12))
  })

  it('overflows where float16 does, and bfloat16 does not', async () => {
    const x = Float32Array.of(12)
    assert.deepEqual(await computed('float16', x, exp), Float32Array.of(Infinity))
    assert.ok(Number.isFinite((await computed('bfloat16', x, exp))[0]))
  })

  describe('attends', () => {
    const [heads, kvHeads, width, stateRows] = [4, 2, 3, 9]
    /** One layer of attention over kept rows: q, k, v [B, h, S, d] as inputs. */
    async function session() {
      const graph = new Graph('test', { weights: weightsOf({}), target: 'tensorrt' })
      const input = (name: string, h: number) => graph.input(name, 'float32', ['batch', h, 'rows', width])
      const past = graph.input('past_length', 'int64', ['batch'])
      const lengths = cast(graph.input('lengths', 'int64', ['batch']), 'int32')
      const memory = (name: string) => graph.input(name, 'float32', ['batch', kvHeads, stateRows, width])
      const keys = kvCacheUpdate(memory('past.k'), input('k', kvHeads), past)
      const values = kvCacheUpdate(memory('past.v'), input('v', kvHeads), past)
      graph.output('fresh.k', keys, ['batch', kvHeads, stateRows, width])
      graph.output('fresh.v', values, ['batch', kvHeads, stateRows, width])
      const mixed = attention(input('q', heads), keys, values, { causal: true, lengths })
      graph.output('y', mixed, ['batch', heads, 'rows', width])
      const state = ['k', 'v'].map((kind) => ({
        past: `past.${kind}`,
        fresh: `fresh.${kind}`,
        heads: kvHeads,
        width,
      }))
      const profiles = [{ name: 'any', sizes: { batch: [1, 1, 3], rows: range } }] as const
      return openPortable({ graph, state, stateRows, slots: 4, profiles }, { rounding: false })
    }
    const tensor = (B: number, h: number, S: number) => float32(numbers(B * h * S * width), [B, h, S, width])
    const row = ({ data, dims }: HostTensor, b: number, h: number, s: number) => {
      const at = ((b * dims[1]! + h) * dims[2]! + s) * width
      return (data as Float32Array).subarray(at, at + width)
    }

    it('to the kept rows that count and the new ones before, each slot by its own length', async () => {
      const s = await session()
      const kept: { k: Float32Array; v: Float32Array }[][][] = [0, 1, 2, 3].map(() => [[], []])
      const step = async (slots: number[], pasts: number[], S: number) => {
        const [q, k, v] = [heads, kvHeads, kvHeads].map((h) => tensor(slots.length, h, S))
        const feeds = {
          q: q!,
          k: k!,
          v: v!,
          past_length: int64(pasts),
          lengths: int64(pasts.map((n) => n + S)),
        }
        const uses = slots.map((slot, i) => ({ slot, past: pasts[i]! }))
        const y = (await s.run(feeds, uses)).y!
        for (const [b, slot] of slots.entries())
          for (let h = 0; h < kvHeads; h++) {
            const rows = kept[slot]![h]!
            rows.length = pasts[b]!
            for (let i = 0; i < S; i++) rows.push({ k: row(k!, b, h, i), v: row(v!, b, h, i) })
          }
        for (const [b, slot] of slots.entries())
          for (let h = 0; h < heads; h++)
            for (let i = 0; i < S; i++) {
              const seen = kept[slot]![Math.floor(h / 2)]!.slice(0, pasts[b]! + i + 1)
              const query = row(q!, b, h, i)
              const weights = seen.map(({ k }) => Math.exp(k.reduce((sum, x, j) => sum + x * query[j]!, 0)))
              const sum = weights.reduce((a, b) => a + b, 0)
              for (const [j, value] of row(y, b, h, i).entries()) {
                const wanted = seen.reduce((mean, { v }, t) => mean + (weights[t]! / sum) * v[j]!, 0)
                assert.ok(Math.abs(value - wanted) < 1e-5, `slot ${slot}, head ${h}, row ${i}`)
              }
            }
      }
      await step([1], [0], 5)
      await step([2], [0], 2)
      await step([1, 2, 3], [5, 2, 0], 1)
      await step([1, 2], [6, 3], 2)
      await step([1], [3], 4) // back: what was behind does not count
      s.release(2)
      await step([2], [0], 1)
      await s.dispose()
    })

    it('and refuses sizes beyond every profile, rows beyond the state and slots apart', async () => {
      const s = await session()
      const feeds = (B: number, S: number) => ({
        q: tensor(B, heads, S),
        k: tensor(B, kvHeads, S),
        v: tensor(B, kvHeads, S),
        past_length: int64(Array(B).fill(8)),
        lengths: int64(Array(B).fill(8 + S)),
      })
      const use = (slot: number) => ({ slot, past: 8 })
      await assert.rejects(s.run(feeds(4, 1), [0, 1, 2, 3].map(use)), /no profile has room for .*"batch":4/)
      await assert.rejects(s.run(feeds(1, 2), [use(0)]), /indices|bounds/)
      await assert.rejects(s.run(feeds(2, 1), [0, 2].map(use)), /slots follow one another/)
      await assert.rejects(s.run(feeds(1, 1), [use(4)]), /slot 4 of 4/)
      await s.dispose()
    })
  })

  it('sees every key without a causal kind', async () => {
    const graph = new Graph('test', { weights: weightsOf({}), target: 'tensorrt' })
    const input = (name: string) => graph.input(name, 'float32', ['batch', 1, 'rows', 2])
    graph.output('y', attention(input('q'), input('k'), input('v')), ['batch', 1, 'rows', 2])
    const profiles = [{ name: 'any', sizes: { batch: range, rows: range } }] as const
    const s = await openPortable({ graph, profiles }, { rounding: false })
    const rows = (...data: number[]) => float32(Float32Array.from(data), [1, 1, 2, 2])
    const { y } = await s.run({ q: rows(0, 0, 0, 0), k: rows(1, 2, 3, 4), v: rows(1, 2, 3, 4) })
    assert.deepEqual(y!.data, Float32Array.of(2, 3, 2, 3))
    await s.dispose()
  })

  it('refuses operators that it does not know', async () => {
    const graph = new Graph('test', { weights: weightsOf({}), target: 'tensorrt' })
    const x = graph.input('x', 'float32', [1])
    graph.output('y', matMul(graph.op('QuickGelu', [x], {}, { domain: 'com.microsoft' }), x), [1])
    await assert.rejects(
      openPortable({ graph }, { rounding: false }),
      /no standard form of com\.microsoft\.QuickGelu/,
    )
  })
})
