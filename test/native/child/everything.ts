/**
 * One object of every kind, an inference on its way (of 200 ms) and, if asked, a build (of 200 s): for processes and
 * threads that end in some way or other.
 */
import type { Native } from '#src/runtime/addon.js'
import { buildOptions, makeEngine, onDevice, writeProgram } from '../native.js'

const doubling = ['input x float32 [1]', 'y = add x x', 'output y']

export const startLongBuild = (native: Native) =>
  native.build(buildOptions(writeProgram('steps 1000', 'slow 200', ...doubling)))

/** Makes everything, and starts the inference. */
export async function makeEverything(native: Native) {
  const engine = await makeEngine(native, ['kernel 200', ...doubling])
  const stream = new native.Stream()
  const context = engine.createContext(0, stream)
  const x = onDevice(native, stream, Float32Array.of(1))
  const y = new native.DeviceBuffer(4)
  const pinned = new native.PinnedBuffer(4)
  const event = new native.Event()
  context.setAddress('x', x)
  context.setAddress('y', y)
  context.enqueue(stream)
  stream.synchronize()
  stream.beginCapture()
  context.enqueue(stream)
  const graph = stream.endCapture()
  if (!graph) throw new Error('the work was not recorded')
  graph.launch(stream)
  context.enqueue(stream)
  stream.download(pinned, 0, y, 0, 4)
  stream.record(event)
  return { engine, context, x, y, pinned, graph, event, stream }
}
