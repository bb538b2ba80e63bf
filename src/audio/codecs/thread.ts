/** Entry of the codecs' thread: libraries that take time, or may be led astray by a file, work apart from the service. */
import { parentPort } from 'node:worker_threads'
import { ServiceError } from '../../errors.js'
import { decodeFile } from './decode.js'
import { FileEncoder } from './encoder.js'
import type { Answers, FromCodecs, Request, ToCodecs } from './protocol.js'

const port = parentPort
if (!port) throw new Error('thread.js is the entry of a thread, not a program')

// The libraries write there what they meet in files: that is for nobody.
for (const method of ['log', 'warn', 'error'] as const) console[method] = () => {}

const encoders = new Map<number, FileEncoder>()
const calls = new Map<number, AbortController>()
let lastEncoder = 0

port.on('message', ({ call, request }: ToCodecs) => {
  if (request === null)
    calls.get(call)?.abort(new ServiceError('request_cancelled', 'The request was cancelled.'))
  else void serve(call, request)
})

async function serve(call: number, request: Request): Promise<void> {
  const controller = new AbortController()
  calls.set(call, controller)
  const send = (message: FromCodecs, transfer: ArrayBuffer[] = []) => port!.postMessage(message, transfer)
  try {
    const answer = await answerTo(request, controller.signal)
    send({ call, answer }, transferable(answer))
  } catch (thrown) {
    send({ call, error: ServiceError.from(thrown).toWire() })
  } finally {
    calls.delete(call)
  }
}

async function answerTo(request: Request, signal: AbortSignal): Promise<Answers[keyof Answers]> {
  switch (request.kind) {
    case 'decode':
      return decodeFile(request.bytes, request.maxSeconds, signal)
    case 'open':
      encoders.set(++lastEncoder, await FileEncoder.open(request.format, request.sampleRate))
      return lastEncoder
    case 'write':
      return encoderOf(request.encoder).write(request.samples)
    case 'close':
    case 'drop': {
      const encoder = encoderOf(request.encoder)
      encoders.delete(request.encoder)
      if (request.kind === 'close') return encoder.close()
      await encoder.drop()
      return null
    }
    case 'ping':
      return null
  }
}

function encoderOf(number: number): FileEncoder {
  const encoder = encoders.get(number)
  if (!encoder) throw new Error(`there is no encoder ${number}`)
  return encoder
}

function transferable(answer: Answers[keyof Answers]): ArrayBuffer[] {
  const array = answer instanceof Uint8Array ? answer : typeof answer === 'object' ? answer?.mono : undefined
  return array ? [array.buffer as ArrayBuffer] : []
}
