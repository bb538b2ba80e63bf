import assert from 'node:assert/strict'
import { EventQueue } from '#src/runtime/event-queue.js'

const never = new AbortController().signal
const read = async (events: EventQueue<number>): Promise<number[]> => {
  const all: number[] = []
  for await (const event of events.read(never)) all.push(event)
  return all
}

describe('runtime/event-queue', () => {
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
      for await (const event of events.read(never)) seen.push(event)
    }, /broken/)
    assert.deepEqual(seen, [1])
  })

  it('throws the reason of an abort at once, before what is there and while it waits', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const events = new EventQueue<number>()
    for (const event of [1, 2]) events.push(event)
    const reader = events.read(controller.signal)
    assert.deepEqual(await reader.next(), { done: false, value: 1 })
    controller.abort(reason)
    await assert.rejects(reader.next(), (error) => error === reason)
    const later = new AbortController()
    const waiting = new EventQueue<number>().read(later.signal).next()
    await new Promise(setImmediate)
    later.abort(reason)
    await assert.rejects(waiting, (error) => error === reason)
  })

  it('ends when it has nothing', async () => {
    const events = new EventQueue<number>()
    const all = read(events)
    await new Promise(setImmediate)
    events.end()
    assert.deepEqual(await all, [])
  })
})
