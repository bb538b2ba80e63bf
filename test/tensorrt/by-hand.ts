/**
 * Runs a command in a checkout on the stand-in (checkout.ts), which is made if FOLDER is not there, with the service's
 * settings as they are in the environment.
 * usage: node dist-test/tensorrt/by-hand.js FOLDER COMMAND …
 * as in: SLOTS=3 node dist-test/tensorrt/by-hand.js FOLDER node scripts/gpu-check.js --steps machine,build,goldens
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { environment, makeCheckout } from './checkout.js'

const [name, command, ...args] = process.argv.slice(2)
if (name === undefined || command === undefined) throw new Error('usage: by-hand.js FOLDER COMMAND …')
const folder = resolve(name)
if (!existsSync(folder)) await makeCheckout(folder)
const env = { ...process.env, ...(await environment(folder)) }
const { status, error } = spawnSync(command, args, { cwd: folder, env, stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1
