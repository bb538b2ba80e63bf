/** Attention is the same numbers in the forms of both runtimes, along the life of a sequence. */
import assert from 'node:assert/strict'
import { seededRandom } from '#src/decoding/rng.js'
import { crossAttention, selfAttention, toHeads } from '#src/graph/attention.js'
import { cachedAttention, promptAttention } from '#src/graph/cached-attention.js'
import { Graph, type Target, type Value } from '#src/graph/graph.js'
import { type KeptTensor, keptRows, sightOf } from '#src/graph/kept-rows.js'
import { tokensInput } from '#src/graph/transformer.js'
import { type PlannedGraph, signatureOf } from '#src/models/plan.js'
import { openSession } from '#src/runtime/onnxruntime.js'
import { float32, int64, type Session } from '#src/runtime/session.js'
import { bothTargets } from './both-targets.js'
import { newFolder, noWeights } from './evaluate.js'
import { openPortable } from './portable-session.js'
import { violations } from './tensorrt-rules.js'

const random = seededRandom(23)
const numbers = (n: number) => Float32Array.from({ length: n }, () => 4 * (random() - 0.5))
const width = 8
const stateRows = 16

interface Form {
  heads: number
  kvHeads: number
  window?: number | null
  cap?: number | null
}

/** One layer: q, k, v as rows [B·S, h·d], y as rows; `tokens` only give the sizes. `prompt`: in the form for prompts. */
function layer(
  target: Target,
  { heads, kvHeads, window = null, cap = null }: Form,
  prompt = false,
): PlannedGraph {
  const g = new Graph('layer', { weights: noWeights, target })
  const { tokens, rows, batch } = tokensInput(g, 'tokens', 'batch')
  const past = g.input('past_length', 'int64', ['batch'])
  const state: KeptTensor[] = ['k', 'v'].map((kind) => ({
    past: `past.${kind}`,
    fresh: `fresh.${kind}`,
    heads: kvHeads,
    width,
  }))
  const [keys, values] = state.map((tensor) => keptRows(g, tensor, stateRows))
  const [q, k, v] = [g.input('q', 'float32', ['n', heads * width])].concat(
    ['k', 'v'].map((name) => g.input(name, 'float32', ['n', kvHeads * width])),
  ) as [Value, Value, Value]
  const inHeads = (rows: Value, count: number) => toHeads(rows, { heads: count, width, batch })
  const kept = { heads, kvHeads, width, cap, keys: keys!.past, values: values!.past }
  const seen = prompt
    ? promptAttention([q, k, v], { ...kept, pastLength: past, newRows: rows, window, rotary: null })
    : cachedAttention(inHeads(q, heads), inHeads(k, kvHeads), inHeads(v, kvHeads), {
        ...kept,
        sight: sightOf(past, rows, keys!.past, { groups: heads / kvHeads, window }),
      })
  keys!.keep(seen.keys)
  values!.keep(seen.values)
  g.output('y', seen.mixed, ['n', heads * width])
  g.output('ids', tokens, ['n'])
  const sizes = { batch: [1, 1, 3], rows: [1, 1, 9], n: [1, 1, 27] } as const
  return { graph: g, state, stateRows, slots: 4, profiles: [{ name: 'any', sizes }] }
}

describe('graph/attention', () => {
  const forms: Readonly<Record<string, Form>> = {
    'with 2 heads over 2': { heads: 2, kvHeads: 2 },
    'with 6 heads over 2': { heads: 6, kvHeads: 2 },
    'with a window': { heads: 4, kvHeads: 2, window: 4 },
    'with capped scores': { heads: 4, kvHeads: 2, cap: 1.5 },
    'with both': { heads: 2, kvHeads: 2, window: 4, cap: 1.5 },
  }
  for (const [name, form] of Object.entries(forms))
    describe(name, () => {
      const { heads, kvHeads } = form
      const sessions: Record<string, Session> = {}
      before(async () => {
        const folder = newFolder()
        for (const name of ['onnxruntime', 'prompt']) {
          const cpu = layer('onnxruntime', form, name === 'prompt')
          cpu.graph.write(folder)
          sessions[name] = await openSession(folder, 'layer', signatureOf(cpu), { threads: 1 })
        }
        const planned = layer('tensorrt', form)
        assert.deepEqual(violations(planned), [])
        sessions.tensorrt = await openPortable(planned, { rounding: false })
      })
      after(() => Promise.all(Object.values(sessions).map((session) => session.dispose())))

      const rowsFor = (S: number) =>
        [heads, kvHeads, kvHeads].map((count) => numbers(S * count * width)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ]
      type Rows = ReturnType<typeof rowsFor>
      const feed = (S: number, pasts: readonly number[], [q, k, v]: Rows) => ({
        tokens: int64(Array(S * pasts.length).fill(0), [pasts.length, S]),
        past_length: int64(pasts),
        q: float32(q, [S * pasts.length, heads * width]),
        k: float32(k, [S * pasts.length, kvHeads * width]),
        v: float32(v, [S * pasts.length, kvHeads * width]),
      })
      const near = (a: Float32Array, b: Float32Array) =>
        a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) < 1e-5)

      it('goes on behind kept rows, and back', async () => {
        for (const [past, S] of [
          [0, 5],
          [5, 1],
          [6, 3],
          [9, 7],
          [4, 2],
          [6, 1],
        ] as const) {
          const feeds = feed(S, [past], rowsFor(S))
          const [first, ...others] = await Promise.all(
            Object.values(sessions).map((session) => session.run(feeds, [{ slot: 1, past }], ['y'])),
          )
          for (const { y } of others)
            assert.ok(near(first!.y!.data as Float32Array, y!.data as Float32Array), `${S} behind ${past}`)
        }
      })

      it('is what the formula says', async () => {
        const [cap, window] = [form.cap ?? null, form.window ?? Number.POSITIVE_INFINITY]
        const S = 9
        const [q, k, v] = rowsFor(S)
        const wanted = new Float32Array(S * heads * width)
        for (let row = 0; row < S; row++)
          for (let head = 0; head < heads; head++) {
            const at = (i: number) => (i * kvHeads + Math.floor((head * kvHeads) / heads)) * width
            const own = (row * heads + head) * width
            const seen = Array.from({ length: row + 1 }, (_, i) => i).filter((i) => row - i < window)
            const scores = seen.map((i) => {
              let score = 0
              for (let e = 0; e < width; e++) score += (q[own + e]! * k[at(i) + e]!) / Math.sqrt(width)
              return Math.exp(cap === null ? score : cap * Math.tanh(score / cap))
            })
            const sum = scores.reduce((a, b) => a + b, 0)
            for (const [n, i] of seen.entries())
              for (let e = 0; e < width; e++) wanted[own + e]! += (scores[n]! / sum) * v[at(i) + e]!
          }
        for (const session of Object.values(sessions)) {
          const { y } = await session.run(feed(S, [0], [q, k, v]), [{ slot: 3, past: 0 }], ['y'])
          assert.ok(near(y!.data as Float32Array, wanted))
        }
      })

      it('serves sequences of different lengths in one run as alone', async () => {
        const lengths = [3, 8, 1]
        const cpu = sessions.onnxruntime!
        const gpu = sessions.tensorrt!
        for (const session of [cpu, gpu]) for (const slot of [0, 1, 2, 3]) session.release(slot)
        for (const [i, S] of lengths.entries()) {
          const feeds = feed(S, [0], rowsFor(S))
          for (const session of [cpu, gpu]) await session.run(feeds, [{ slot: i + 1, past: 0 }], ['y'])
        }
        for (const S of [1, 1, 2]) {
          const alone = lengths.map(() => rowsFor(S))
          const joined = [0, 1, 2].map((kind) =>
            Float32Array.from(alone.flatMap((rows) => [...rows[kind]!])),
          ) as Rows
          const uses = lengths.map((past, i) => ({ slot: i + 1, past }))
          const together = [cpu, gpu].map((session) => session.run(feed(S, lengths, joined), uses, ['y']))
          const results = await Promise.all(together)
          for (const [i, rows] of alone.entries()) {
            const { y } = await cpu.run(feed(S, [lengths[i]!], rows), [uses[i]!], ['y'])
            for (const result of results) {
              const share = (result.y!.data as Float32Array).subarray(
                i * y!.data.length,
                (i + 1) * y!.data.length,
              )
              assert.ok(near(y!.data as Float32Array, share), `sequence ${i}`)
            }
            lengths[i]! += S
          }
        }
      })
    })

  it('attends to all rows, of the same sequence and of another', async () => {
    const sizes = { heads: 2, width }
    const rows = (n: number) => float32(numbers(n * 2 * width), [n, 2 * width])
    const forms = await bothTargets({ q: rows(3), k: rows(5), v: rows(5) }, (_, { q, k, v }) => ({
      self: [selfAttention(q!, q!, q!, sizes), ['n', 2 * width]],
      cross: [crossAttention(q!, toHeads(k!, sizes), toHeads(v!, sizes), sizes), ['n', 2 * width]],
    }))
    for (const name of ['self', 'cross']) {
      const [cpu, gpu] = forms.map((form) => form[name]!.data as Float32Array)
      assert.equal(gpu!.length, 3 * 2 * width)
      assert.ok(
        cpu!.every((value, i) => Math.abs(value - gpu![i]!) < 1e-5),
        name,
      )
    }
  })
})
