import assert from 'node:assert/strict'
import { setImmediate as turnOfEvents } from 'node:timers/promises'
import { NewsSender } from '#src/runtime/news.js'
import type { FromThread } from '#src/runtime/protocol.js'

describe('runtime/news', () => {
  it('sends together what comes in one turn, promises included, and before the next', async () => {
    const sent: (FromThread | 'the next turn')[] = []
    const sender = new NewsSender((message) => sent.push(message))
    const event = (id: number) => ({ kind: 'event', id, event: id }) as const
    const one = async (id: number) => {
      for (let i = 0; i < id; i++) await undefined
      sender.send(event(id))
    }
    const next = turnOfEvents().then(() => sent.push('the next turn'))
    await Promise.all([one(1), one(5), one(30)])
    await next
    const end = { kind: 'end', id: 1 } as const
    sender.send(end)
    sender.flush()
    sender.flush()
    await turnOfEvents()
    assert.deepEqual(sent, [
      { kind: 'news', news: [event(1), event(5), event(30)] },
      'the next turn',
      { kind: 'news', news: [end] },
    ])
  })
})
