import { setImmediate as turnOfEvents } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Frees the memory that tests before have left to the collector, so that what is free afterwards is one test's affair. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 4; i++) {
    collect()
    await turnOfEvents()
  }
}
