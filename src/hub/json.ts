import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'

/** The JSON in a file. @throws SetupError naming it, when it is none */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown
  } catch (cause) {
    throw new SetupError(`${path} is not JSON (${(cause as Error).message}).`, { cause })
  }
}
