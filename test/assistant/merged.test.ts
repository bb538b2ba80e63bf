import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { merged } from '#src/assistant/merged.js'
import { collected } from '../collected.js'

/** Yields `name` and a number every `ms`; waits as models do, until the signal says otherwise. */
async function* ticks(name: string, ms: number, count: number, { signal }: AbortController) {
  for (let i = 0; i < count; i++) {
    await delay(ms, undefined, { signal })
    yield `${name}${i}`
  }
}

describe('assistant/merged', () => {
  it('gives the events of all in the order in which they arise', async () => {
    const stop = new AbortController()
    const events = await collected(merged([ticks('slow', 70, 2, stop), ticks('fast', 30, 3, stop)], stop))
    assert.deepEqual(events, ['fast0', 'fast1', 'slow0', 'fast2', 'slow1'])
    assert.deepEqual(await collected(merged([], stop)), [])
  })

  it('lets each be at most one event ahead of its reader', async () => {
    const stop = new AbortController()
    let made = 0
    async function* eager() {
      for (; made < 100; made++) yield made
    }
    const events = merged([eager()], stop)
    await events.next()
    await delay(5)
    assert.ok(made <= 2, `${made} made`)
    await events.return(undefined)
    assert.ok(made <= 2)
  })

  it('ends the others when one fails, and fails as it did', async () => {
    const stop = new AbortController()
    let ended = false
    async function* endless() {
      try {
        yield* ticks('t', 1e6, 1, stop)
      } finally {
        ended = true
      }
    }
    async function* failing(): AsyncGenerator<string> {
      yield* ticks('f', 1, 1, stop)
      throw new Error('broken')
    }
    await assert.rejects(collected(merged([endless(), failing()], stop)), /broken/)
    assert.ok(ended && stop.signal.aborted)
  })

  it('ends all when its reader stops', async () => {
    const stop = new AbortController()
    for await (const event of merged([ticks('a', 1, 9, stop), ticks('b', 1e6, 1, stop)], stop)) {
      assert.equal(event, 'a0')
      break
    }
    assert.ok(stop.signal.aborted)
  })
})
