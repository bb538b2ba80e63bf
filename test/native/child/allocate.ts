/** Answers what the first allocation comes to. */
import { openNative } from '../native.js'
import { answer, outcome } from './answer.js'

const native = await openNative()
answer(outcome(() => new native.DeviceBuffer(1).bytes))
