/** A codecs' thread whose decoder hangs, as one that a file has led astray; it still reads and drops encoders. */
import { parentPort } from 'node:worker_threads'
import type { ToCodecs } from '#src/audio/codecs/protocol.js'

parentPort!.on('message', ({ call, request }: ToCodecs) => {
  if (request?.kind === 'decode') for (;;);
  parentPort!.postMessage({ call, answer: 1 })
})
