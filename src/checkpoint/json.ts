import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'
import type { RangeFile } from './file.js'

const quote = 0x22
const backslash = 0x5c

/** Parses the bytes of a file as a JSON object; anything else, invalid UTF-8 and duplicate keys are SetupErrors. */
export function parseObject(file: RangeFile, bytes: Uint8Array, what: string): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    throw file.damaged(`has a ${what} that is not JSON`)
  }
  if (!isObject(value)) throw file.damaged(`has a ${what} that is not a JSON object`)
  const twice = duplicateKey(text)
  if (twice !== null) throw file.damaged(`has the key ${twice} twice in its ${what}`)
  return value
}

/** The JSON in a small file, such as config.json; a byte order mark before it is an editor's. @throws SetupError naming it, when it can not be read or is none */
export function readJson(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  } catch (cause) {
    throw new SetupError(`${path} can not be read (${(cause as Error).message}): check its permissions.`, {
      cause,
    })
  }
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new SetupError(`${path} is not JSON (${(cause as Error).message}): fetch it again.`, { cause })
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first key that an object of a valid JSON text has twice, or null; JSON.parse would keep the last silently. */
function duplicateKey(text: string): string | null {
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') open.push(new Set())
    else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const end = closingQuote(text, at)
      if (isKey(text, end)) {
        // Parsed, because two spellings (\u0061 and a) are one key.
        const key: unknown = JSON.parse(text.slice(at, end + 1))
        const keys = open.at(-1)
        if (typeof key !== 'string' || keys?.has(key)) return String(key)
        keys?.add(key)
      }
      at = end
    }
  }
  return null
}

function closingQuote(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
  return at
}

function isKey(text: string, closing: number): boolean {
  let at = closing + 1
  while (text.charCodeAt(at) <= 0x20) at++
  return text[at] === ':'
}
