/** Builds and runs on the second GPU; answers for which compute capability, and what came out. */
import { readFileSync } from 'node:fs'
import { addon, buildOptions, onDevice, read, writeProgram } from '../native.js'
import { currentBuild } from '../toolchain.js'
import { answer } from './answer.js'

const native = await addon()
native.load((await currentBuild()).sdk)
native.setDevice(1)
const options = buildOptions(writeProgram('input x float32 [2]', 'y = add x x', 'output y'))
await native.build(options).done
const stream = new native.Stream()
const context = native.loadEngine(options.plan).createContext(0, stream)
const y = new native.DeviceBuffer(8)
context.setAddress('x', onDevice(native, stream, Float32Array.of(1, 2)))
context.setAddress('y', y)
context.enqueue(stream)
const doubled = read(native, stream, y)
answer({ sm: readFileSync(options.plan, 'utf8').split(' ')[2], doubled })
