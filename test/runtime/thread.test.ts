import assert from 'node:assert/strict'
import { ServiceError, SetupError } from '#src/errors.js'
import { ModelThread } from '#src/runtime/thread.js'
import type { CountRequest } from './counting-worker.js'

type Counter = ModelThread<CountRequest, unknown>
const never = new AbortController().signal

describe('runtime/thread', () => {
  const threads: Counter[] = []
  const deaths: ServiceError[] = []
  let onDeath = (_error: ServiceError) => {}

  async function start(folder = 'good'): Promise<Counter> {
    const entry = new URL('./counting-worker.js', import.meta.url)
    const settings = {
      family: 'llama',
      runtime: 'onnxruntime',
      folder,
      threads: 1,
      cores: new SharedArrayBuffer(8),
      device: 0,
      libraries: null,
      slots: 1,
      stateBytes: 0,
    } as const
    const thread = await ModelThread.start<CountRequest, unknown>(entry, settings, (error) => {
      deaths.push(error)
      onDeath(error)
    })
    threads.push(thread)
    return thread
  }
  async function all(thread: Counter, request: CountRequest, signal = never): Promise<unknown[]> {
    const events = []
    for await (const event of thread.call(request, signal)) events.push(event)
    return events
  }
  const failure = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof ServiceError && error.code === code && message.test(error.message)

  beforeEach(() => deaths.splice(0))
  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.stop()))
  })

  it('starts with what the model tells of itself', async () => {
    const { info } = await start()
    const facts = { voices: ['a'] }
    assert.deepEqual(info, {
      name: 'counter',
      family: 'llama',
      parameters: 1,
      bytes: 2,
      loadSeconds: 3,
      parallel: 1,
      facts,
    })
  })

  it('hands the sentence of a failed start on, and any other failure as what it is', async () => {
    await assert.rejects(start('setup'), (error: unknown) => {
      assert.ok(error instanceof SetupError)
      assert.equal(error.message, 'The engine is torn: build it again.')
      assert.equal(error.stack, 'there')
      return true
    })
    await assert.rejects(
      start('bug'),
      (error: Error) => !(error instanceof SetupError) && error.message === 'x is undefined',
    )
    await assert.rejects(start('crash'), /no memory/)
    await assert.rejects(start('exit'), /the llama thread ended with code 4/)
    assert.deepEqual(deaths, [])
  })

  it('yields the events of each call in order, sound intact, calls side by side', async () => {
    const thread = await start()
    const [many, none, few] = await Promise.all([
      all(thread, { verb: 'count', to: 1000 }),
      all(thread, { verb: 'count', to: 0 }),
      all(thread, { verb: 'count', to: 3 }),
    ])
    const expected = (to: number) =>
      Array.from({ length: to }, (_, i) => ({ i, samples: Float32Array.of(i) }))
    assert.deepEqual([many, none, few], [expected(1000), [], expected(3)])
  })

  it('rebuilds an error with its code, message and field, behind the events before it', async () => {
    const thread = await start()
    const seen: unknown[] = []
    const reading = async () => {
      for await (const event of thread.call({ verb: 'fail', after: 2, how: 'request' }, never))
        seen.push(event)
    }
    await assert.rejects(reading, (error: unknown) => {
      assert.ok(error instanceof ServiceError)
      const { code, message, param } = error
      assert.deepEqual(
        [code, message, param],
        ['context_length_exceeded', '9000 tokens do not fit', 'messages'],
      )
      return true
    })
    assert.deepEqual(seen, [0, 1])
    await assert.rejects(all(thread, { verb: 'fail', after: 0, how: 'bug' }), (error: ServiceError) => {
      assert.equal(error.code, 'server_error')
      assert.match(error.stack ?? '', /counting-worker/)
      return true
    })
    assert.equal((await all(thread, { verb: 'count', to: 1 })).length, 1)
  })

  it('ends an aborted call at once, and cancels it on the thread', async () => {
    const thread = await start()
    const controller = new AbortController()
    const call = thread.call({ verb: 'hang' }, controller.signal)
    assert.deepEqual(await call.next(), { done: false, value: 'hanging' })
    const waiting = call.next()
    controller.abort()
    await assert.rejects(waiting, failure('request_cancelled', /closed the connection/))
    assert.deepEqual(await all(thread, { verb: 'report' }), [1])
  })

  it('gives the reason of the abort where it is one of ours', async () => {
    const thread = await start()
    const reason = new ServiceError('shutting_down', 'Going down.')
    await assert.rejects(
      all(thread, { verb: 'hang' }, AbortSignal.abort(reason)),
      (error) => error === reason,
    )
    assert.deepEqual(
      await all(thread, { verb: 'report' }),
      [],
      'a call aborted before its start never crosses',
    )
  })

  it('cancels a call whose reader stops reading, but not one that has ended', async () => {
    const thread = await start()
    for await (const event of thread.call({ verb: 'hang' }, never)) {
      assert.equal(event, 'hanging')
      break
    }
    const controller = new AbortController()
    await all(thread, { verb: 'count', to: 2 }, controller.signal)
    controller.abort()
    assert.deepEqual(await all(thread, { verb: 'report' }), [1])
  })

  for (const [verb, message] of [
    ['crash', /^The thread of counter stopped by an error: out of memory\.$/],
    ['exit', /^The thread of counter ended with code 3\.$/],
  ] as const)
    it(`ends all calls and tells of its death, once, when the thread has a sudden end (${verb})`, async () => {
      const thread = await start()
      const death = new Promise<ServiceError>((resolve) => (onDeath = resolve))
      const hanging = assert.rejects(all(thread, { verb: 'hang' }), failure('server_error', message))
      await assert.rejects(all(thread, { verb }), failure('server_error', message))
      await hanging
      assert.match((await death).message, message)
      await assert.rejects(all(thread, { verb: 'count', to: 1 }), failure('server_error', message))
      await thread.stop()
      assert.equal(deaths.length, 1)
    })

  it('stops when asked, ending calls that still run, and is not called dead for it', async () => {
    const thread = await start()
    const hanging = assert.rejects(all(thread, { verb: 'hang' }), failure('shutting_down', /shutting down/))
    await thread.stop()
    await hanging
    await assert.rejects(all(thread, { verb: 'count', to: 1 }), failure('shutting_down', /shutting down/))
    await thread.stop()
    assert.deepEqual(deaths, [])
  })
})
