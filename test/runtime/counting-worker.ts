/**
 * A model's thread without a model, for thread.test.ts: speaks the protocol of src/runtime/protocol.ts, with a call
 * per kind of behaviour. It reports what it was told to cancel as events of `report`.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '#src/errors.js'
import type { CallNews, FromThread, ThreadSettings, ToThread } from '#src/runtime/protocol.js'

export type CountRequest =
  | { readonly verb: 'count'; readonly to: number }
  | { readonly verb: 'fail'; readonly after: number; readonly how: 'request' | 'bug' }
  | { readonly verb: 'hang' | 'report' | 'crash' | 'exit' }

const { folder } = workerData as ThreadSettings
const port = parentPort!
const send = (message: FromThread) => port.postMessage(message)
const tell = (...news: readonly CallNews[]) => send({ kind: 'news', news })
const cancelled: number[] = []

function fail(how: 'request' | 'bug'): ServiceError {
  if (how === 'request')
    return new ServiceError('context_length_exceeded', '9000 tokens do not fit', 'messages')
  return ServiceError.from(new TypeError('a bug in the model'))
}

function answer(id: number, request: CountRequest): void {
  const event = (value: unknown) => tell({ kind: 'event', id, event: value })
  switch (request.verb) {
    case 'count':
      // Some together with the end.
      for (let i = 0; i < request.to - 2; i++) event({ i, samples: Float32Array.of(i) })
      tell(
        ...[request.to - 2, request.to - 1]
          .filter((i) => i >= 0)
          .map((i) => ({ kind: 'event', id, event: { i, samples: Float32Array.of(i) } }) as const),
        { kind: 'end', id },
      )
      return
    case 'fail':
      for (let i = 0; i < request.after; i++) event(i)
      tell({ kind: 'error', id, error: fail(request.how).toWire() })
      return
    case 'hang':
      event('hanging')
      return
    case 'report':
      for (const other of cancelled) event(other)
      break
    case 'crash':
      throw new RangeError('out of memory')
    case 'exit':
      process.exit(3)
  }
  tell({ kind: 'end', id })
}

if (folder === 'setup')
  send({ kind: 'failed', message: 'The engine is torn: build it again.', setup: true, stack: 'there' })
else if (folder === 'bug') send({ kind: 'failed', message: 'x is undefined', setup: false })
else if (folder === 'crash') throw new RangeError('no memory')
else if (folder === 'exit') process.exit(4)
else {
  port.on('message', (message: ToThread) => {
    if (message.kind === 'call') answer(message.id, message.request as CountRequest)
    else if (message.kind === 'cancel') cancelled.push(message.id)
    else port.close()
  })
  const facts = { voices: ['a'] }
  send({
    kind: 'ready',
    info: { name: 'counter', family: 'llama', parameters: 1, bytes: 2, loadSeconds: 3, parallel: 1, facts },
  })
}
