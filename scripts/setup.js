#!/usr/bin/env node
/**
 * The set-up before `npm start` and `npm test`: dependencies, compilation, with RUNTIME=tensorrt its addon, engines; each
 * only when needed.
 * `--for-tests` also compiles the tests and lints. Needs nothing but Node: no package is installed yet.
 *
 * An old Node has to get as far as its one sentence, so this file and requirements.js keep to syntax that
 * Node 12 parses, and everything newer is imported after the check.
 */
import { nodeFault, platformFault } from './setup/requirements.js'

const fault = nodeFault(process.version) || platformFault(process.platform, process.arch)
if (fault) {
  console.error(fault)
  process.exitCode = 1
} else {
  import('./setup/main.js').then((setup) => setup.main(process.argv.slice(2)))
}
