/** Makes everything and lets go of it in the way that is asked for; answers what is alive before and after, or the failure. */
import { livingObjects } from '../child.js'
import { buildOptions, openNative, writeProgram } from '../native.js'
import { answer, outcome } from './answer.js'
import { collect } from './collect.js'
import { makeEverything, startLongBuild } from './everything.js'

const [way] = process.argv.slice(2)
const native = await openNative()
const living = () => livingObjects(process.env.FAKE_COUNTS ?? '')

const ways: Record<string, () => Promise<unknown>> = {
  async dispose() {
    const made = await makeEverything(native)
    const before = living()
    for (const object of Object.values(made)) object.dispose()
    return { before, after: living() }
  },
  async 'dispose parents first'() {
    const { engine, stream, ...rest } = await makeEverything(native)
    for (const object of [engine, stream, ...Object.values(rest)]) object.dispose()
    return { after: living() }
  },
  async collect() {
    await makeEverything(native).then(() => undefined)
    await collect()
    return { after: living() }
  },
  async fail() {
    const copy = ['input x float32 [1]', 'y = copy x', 'output y']
    const fails = async (...lines: string[]) => {
      const options = buildOptions(writeProgram(...copy, ...lines))
      await native.build(options).done.catch(() => undefined)
      return outcome(() => native.loadEngine(options.plan).createContext(0, new native.Stream()))
    }
    for (const where of ['parse', 'build', 'deserialize', 'context']) await fails(`fail ${where} on purpose`)
    outcome(() => native.inspect(writeProgram('fail parse on purpose')))
    native.inspect(writeProgram(...copy))
    const job = startLongBuild(native)
    job.cancel()
    await job.done.catch(() => undefined)
    await collect()
    return { after: living() }
  },
}

answer(await ways[way ?? '']?.().catch(({ code, message }) => ({ code, message })))
