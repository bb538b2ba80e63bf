/** Reading a checkpoint's JSON files, which the operator supplies: every fault is a SetupError that names the file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../errors.js'

export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text of `folder/name`, without the mark that some editors put first; undefined when there is no such file. */
export function readTextIfPresent(folder: string, name: string): string | undefined {
  const path = join(folder, name)
  try {
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new SetupError(`${path} can not be read: ${String(cause)}.`, { cause })
  }
}

/** The JSON object in `folder/name`. */
export function readJsonObject(folder: string, name: string): JsonObject {
  const path = join(folder, name)
  const text = readTextIfPresent(folder, name)
  if (text === undefined) {
    throw new SetupError(`${path} is missing: copy the whole checkpoint folder, not only its weights.`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SetupError(`${path} is not valid JSON: fetch the file again.`, { cause })
  }
  if (!isObject(value)) throw new SetupError(`${path} is not a JSON object: fetch the file again.`)
  return value
}
