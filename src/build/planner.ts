/**
 * Entry of the process in which TensorRT makes one plan: its aborts, its leaks and its hunger for memory end here. What
 * TensorRT complains of goes to stderr, whose last lines explain a sudden end.
 */
import { SetupError } from '../errors.js'
import type { NativeError } from '../runtime/addon.js'
import { loadNative } from '../runtime/native.js'
import type { FromPlanner, PlanJob } from './protocol.js'

const orphaned = () => process.kill(process.pid, 'SIGKILL')

async function build({ libraries, device, options }: PlanJob): Promise<void> {
  const { native } = loadNative(libraries)
  native.setDevice(device)
  native.onLog((severity, message) => {
    if (severity !== 'info' && severity !== 'verbose') console.error(message)
  })
  await native.build(options, (progress) => send({ kind: 'progress', progress })).done
  native.onLog(null)
}

function send(message: FromPlanner): void {
  process.send!(message)
}

/** The answer, after which nobody listens any more. */
function end(message: FromPlanner): void {
  process.off('disconnect', orphaned)
  process.send!(message, () => process.disconnect())
}

process.on('disconnect', orphaned)
// Ctrl-C reaches every process of the terminal: the parent ends this one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.once('message', (job: PlanJob) => {
  build(job).then(
    () => end({ kind: 'built' }),
    (error: Error) => {
      const setup = error instanceof SetupError || typeof (error as Partial<NativeError>).code === 'string'
      end({ kind: 'failed', message: error.message, setup, stack: error.stack ?? '' })
    },
  )
})
