import assert from 'node:assert/strict'
import { EventQueue } from '#src/models/llama/events.js'

const read = async (events: EventQueue<number>): Promise<number[]> => {
  const all: number[] = []
  for await (const event of events) all.push(event)
  return all
}

describe('models/llama/events', () => {
  it('gives events in order, those that came before and those to come', async () => {
    const events = new EventQueue<number>()
    events.push(1)
    events.push(2)
    const all = read(events)
    await new Promise(setImmediate)
    events.push(3)
    await new Promise(setImmediate)
    events.push(4)
    events.end()
    assert.deepEqual(await all, [1, 2, 3, 4])
  })

  it('throws what failed behind what came before it', async () => {
    const events = new EventQueue<number>()
    events.push(1)
    events.fail(new Error('broken'))
    const seen: number[] = []
    await assert.rejects(async () => {
      for await (const event of events) seen.push(event)
    }, /broken/)
    assert.deepEqual(seen, [1])
  })

  it('ends when it has nothing', async () => {
    const events = new EventQueue<number>()
    const all = read(events)
    await new Promise(setImmediate)
    events.end()
    assert.deepEqual(await all, [])
  })
})
