/** Two contexts that share their activations, on two streams at a time: what the stand-in does not survive. */
import { makeEngine, openNative } from '../native.js'
import { answer } from './answer.js'

const native = await openNative()
const engine = await makeEngine(native, [
  ...['activations 512', 'kernel 100', 'input x float32 [1]', 'y = add x x', 'output y'],
])
const shared = new native.DeviceBuffer(512)
const streams = [new native.Stream(), new native.Stream()]
for (const stream of streams) {
  const context = engine.createContext(0, stream, shared)
  for (const name of ['x', 'y']) context.setAddress(name, new native.DeviceBuffer(4))
  context.enqueue(stream)
}
for (const stream of streams) stream.synchronize()
answer('survived')
