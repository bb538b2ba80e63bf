/** Answers what an engine comes to whose weights are too large for the GPU, and one whose activations are. */
import { makeEngine, openNative } from '../native.js'
import { answer, outcome } from './answer.js'

const native = await openNative()
const stream = new native.Stream()
const copy = ['input x int8 [1]', 'y = copy x', 'output y']
const tooHeavy = await makeEngine(native, ['weights 200000', ...copy]).catch((error) => error)
const engine = await makeEngine(native, ['activations 200000', ...copy])
answer([{ code: tooHeavy.code, message: tooHeavy.message }, outcome(() => engine.createContext(0, stream))])
