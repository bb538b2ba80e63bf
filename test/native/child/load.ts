/** Answers what each step from the libraries to a GPU comes to, first with the folder given. */
import { addon, newPath, writeProgram } from '../native.js'
import { answer, outcome } from './answer.js'

const [folder, other] = process.argv.slice(2)
const native = await addon()
answer({
  headers: native.headers,
  early: outcome(() => native.devices()),
  load: outcome(() => native.load(folder)),
  again: outcome(() => native.load(folder)),
  other: outcome(() => native.load(other ?? '/other')),
  devices: outcome(() => native.devices()),
  inspect: outcome(() => native.inspect(writeProgram('input x float32 [2]', 'y = copy x', 'output y'))),
  buffer: outcome(() => new native.DeviceBuffer(1)),
  engine: outcome(() => native.loadEngine(newPath('plan'))),
  setDevice: outcome(() => native.setDevice(0)),
})
