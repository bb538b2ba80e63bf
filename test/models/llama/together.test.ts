/** The scheduler on real networks: replies that are written together are those that are written alone. */
import assert from 'node:assert/strict'
import { argmax } from '#src/decoding/sampler.js'
import { decoder } from '#src/models/llama/bindings.js'
import { Scheduler } from '#src/models/llama/scheduler.js'
import type { Choice, Reply, Scores } from '#src/models/llama/work.js'
import type { Session } from '#src/runtime/session.js'
import { servedEngine } from './engine.js'
import { chats } from './golden.js'
import { openTensorrt } from './tensorrt.js'
import { miniature, writeCheckpoint } from './tiny.js'

/** Takes the likeliest token. */
class Greedy implements Reply {
  readonly tokens: number[] = []

  constructor(
    private readonly maxTokens: number,
    readonly needsRow = false,
    private readonly onToken: () => void = () => {},
  ) {}

  next(scores: Scores): Choice {
    const token = scores.kind === 'top' ? scores.ids[0]! : argmax(scores.logits)
    this.tokens.push(token)
    this.onToken()
    return this.tokens.length < this.maxTokens ? { kind: 'token', token } : { kind: 'end' }
  }
}

describe('models/llama: replies written together', () => {
  let scheduler: Scheduler | undefined
  const close = async () => {
    await scheduler?.dispose()
    scheduler = undefined
  }
  afterEach(close)

  const never = new AbortController().signal
  async function write(prompt: readonly number[], reply: Greedy, maxTokens: number, signal = never) {
    let cached = -1
    const started = (tokens: number) => {
      cached = tokens
    }
    await scheduler!.run({ prompt, replies: [reply], maxTokens, signal, started })
    return { tokens: reply.tokens, cached }
  }

  /** Whether each of eight replies is what it is in a scheduler of its own. */
  async function compare(
    open: () => Promise<Session>,
    options: { slots: number; context: number; chunk: number },
    prompts: readonly (readonly number[])[],
    count: number,
  ): Promise<void> {
    const fresh = async () => {
      await close()
      scheduler = new Scheduler(await open(), options)
    }
    const alone: number[][] = []
    await fresh()
    // They differ from their first token on: nothing is cached.
    for (const prompt of prompts) alone.push((await write(prompt, new Greedy(count), count)).tokens)
    await fresh()
    const together = await Promise.all(
      prompts.map((prompt, i) => write(prompt, new Greedy(count, i % 3 === 0), count)),
    )
    for (const [i, { tokens }] of together.entries()) assert.deepEqual(tokens, alone[i], `reply ${i}`)
  }

  it('are those that are written alone, on ONNX Runtime', async function () {
    this.timeout(120_000)
    const prompts = [0, 1].flatMap((extra) =>
      chats
        .filter(({ prompt_ids: ids }) => ids.length < 200)
        .map(({ prompt_ids: ids }) => [1000 + 77 * ids.length + extra, ...ids.slice(extra)]),
    )
    const options = { slots: 8, context: 1024, chunk: 128 }
    await compare(
      () => servedEngine().open(decoder.graph, { stateRows: 1024 }),
      options,
      prompts.slice(0, 8),
      12,
    )
  })

  it('are those that are written alone, on the stand-in for TensorRT', async () => {
    const { config, tensors } = miniature('Qwen 3')
    const folder = writeCheckpoint(config, tensors())
    const prompts = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 3 + 4 * i }, (_, k) => (k * 31 + 7 * i + 5) % 80),
    )
    const options = { slots: 4, context: 64, chunk: 16 }
    await compare(() => openTensorrt(folder, 'float32', { slots: 4, stateRows: 64 }), options, prompts, 12)
  })

  it('go on behind what is cached, and leave their slots when they are cancelled', async function () {
    this.timeout(120_000)
    scheduler = new Scheduler(await servedEngine().open(decoder.graph), {
      slots: 1,
      context: 1024,
      chunk: 128,
    })
    const { prompt_ids: prompt } = chats.find(({ name }) => name === 'count')!
    const first = await write(prompt, new Greedy(8), 8)
    const turn = [...prompt, ...first.tokens, 2, 198, 1, 4093]
    const second = await write(turn, new Greedy(4), 4)
    assert.deepEqual([first.cached, second.cached], [0, prompt.length + 7])
    const cancel = new AbortController()
    const cancelled = new Greedy(500, false, () => {
      if (cancelled.tokens.length === 3) cancel.abort()
    })
    const left = assert.rejects(write(turn, cancelled, 500, cancel.signal), { name: 'AbortError' })
    const next = write([5, 6, 7], new Greedy(2), 2)
    await left
    assert.equal(cancelled.tokens.length, 3)
    assert.equal((await next).tokens.length, 2)
  })
})
