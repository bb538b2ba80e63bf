import assert from 'node:assert/strict'
import { type DecodeOptions, decode } from '#src/decoding/decode.js'
import { argmax } from '#src/decoding/sampler.js'

/** Logits that argmax turns into `token`. */
const logitsFor = (token: number) => Float32Array.from({ length: 10 }, (_, id) => (id === token ? 1 : 0))

/** A model that says the script; `steps` records what it was fed. */
function scripted(script: number[], options: Partial<DecodeOptions> = {}) {
  const steps: [token: number, position: number][] = []
  const step = async (token: number, position: number) => {
    steps.push([token, position])
    return logitsFor(script[steps.length] ?? 9)
  }
  const all: DecodeOptions = { step, select: argmax, stopTokens: new Set([9]), maxTokens: 100, ...options }
  return { steps, run: decode(logitsFor(script[0] ?? 9), 5, all) }
}

async function collect(run: ReturnType<typeof decode>) {
  const yielded: number[] = []
  for (;;) {
    const { value, done } = await run.next()
    if (done) return { yielded, end: value }
    yielded.push(value.token)
  }
}

describe('decode', () => {
  it('yields tokens up to the stop token', async () => {
    const { run, steps } = scripted([1, 2, 3, 9, 4])
    assert.deepEqual(await collect(run), { yielded: [1, 2, 3], end: { reason: 'stop', tokens: [1, 2, 3] } })
    assert.deepEqual(steps, [
      [1, 5],
      [2, 6],
      [3, 7],
    ])
  })

  it('stops at once', async () => {
    const { run, steps } = scripted([9])
    assert.deepEqual(await collect(run), { yielded: [], end: { reason: 'stop', tokens: [] } })
    assert.deepEqual(steps, [])
  })

  it('takes no step for the last allowed token', async () => {
    const { run, steps } = scripted([1, 2, 3], { maxTokens: 2 })
    assert.deepEqual(await collect(run), { yielded: [1, 2], end: { reason: 'length', tokens: [1, 2] } })
    assert.deepEqual(steps, [[1, 5]])
  })

  it('chooses nothing when nothing is allowed', async () => {
    const { run } = scripted([1], { maxTokens: 0, select: () => assert.fail() })
    assert.deepEqual(await collect(run), { yielded: [], end: { reason: 'length', tokens: [] } })
  })

  it('steps only when another token is asked for', async () => {
    const { run, steps } = scripted([1, 2])
    assert.deepEqual((await run.next()).value, { token: 1 })
    assert.equal(steps.length, 0)
    await run.next()
    assert.equal(steps.length, 1)
    await run.return({ reason: 'stop', tokens: [] })
    assert.equal(steps.length, 1)
  })

  it('shows the chooser the tokens so far', async () => {
    const seen: number[][] = []
    const select = (logits: Float32Array, tokens: readonly number[]) => {
      seen.push([...tokens])
      return argmax(logits)
    }
    await collect(scripted([1, 2, 9], { select }).run)
    assert.deepEqual(seen, [[], [1], [1, 2]])
  })

  it('throws the reason of an abort before the next step', async () => {
    const abort = new AbortController()
    const reason = new Error('client gone')
    const { run, steps } = scripted([1, 2, 3], { signal: abort.signal })
    await run.next()
    abort.abort(reason)
    await assert.rejects(run.next(), reason)
    assert.deepEqual(steps, [])
  })

  it('does not start when aborted already', async () => {
    const { run } = scripted([1], { signal: AbortSignal.abort(new Error('too late')) })
    await assert.rejects(run.next(), /too late/)
  })

  it('hands on a failing step', async () => {
    const { run } = scripted([1], { step: () => Promise.reject(new Error('engine')) })
    await run.next()
    await assert.rejects(run.next(), /engine/)
  })
})
