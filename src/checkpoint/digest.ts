import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SetupError } from '../errors.js'

const card = 'README.md'
const sums = 'SHA256SUMS'
const digestPattern = /\b[0-9a-f]{64}\b/gi

/**
 * The SHA-256 digests recorded for a checkpoint's folder, lower-case hex by path relative to the folder: those of its
 * model card (README.md) and those of a SHA256SUMS beside the folder, whose paths begin with the folder's name. Two
 * forms are understood: lines `<digest>  <file>`, as sha256sum writes them (in a card within a code block), and table
 * rows with the file's name in the first cell and one digest in another. None recorded: an empty map.
 * @throws SetupError for a path that leaves the folder, or two digests for one file.
 */
export function recordedDigests(folder: string): Map<string, string> {
  const digests = new Map<string, string>()
  const record = (source: string, file: string, digest: string): void => {
    if (!staysInside(file))
      throw new SetupError(`${source} records ${file}, a file outside the folder: correct it`)
    if ((digests.get(file) ?? digest) !== digest)
      throw new SetupError(`${source} records two different SHA-256 for ${file}: correct it`)
    digests.set(file, digest)
  }
  const cardPath = join(folder, card)
  for (const [file, digest] of cardDigests(linesOf(cardPath))) record(cardPath, file, digest)
  const sumsPath = join(dirname(folder), sums)
  const prefix = `${basename(folder)}/`
  for (const line of linesOf(sumsPath)) {
    const found = fromListing(line)
    if (found?.[0].startsWith(prefix)) record(sumsPath, found[0].slice(prefix.length), found[1])
  }
  return digests
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split(/\r?\n/) : []
}

function* cardDigests(lines: readonly string[]): Generator<[file: string, digest: string]> {
  let inBlock = false
  for (const line of lines) {
    if (/^\s*(```|~~~)/.test(line)) inBlock = !inBlock
    else {
      const found = inBlock ? fromListing(line) : fromRow(line)
      if (found) yield found
    }
  }
}

/**
 * Compares a file with its recorded SHA-256, reading it as a stream.
 * @param onBytes called with the number of bytes read since the last call
 * @throws SetupError when the file can not be read or differs.
 */
export async function verifyFile(
  path: string,
  sha256: string,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const found = await digestOf(path, onBytes)
  if (found === sha256.toLowerCase()) return
  throw new SetupError(
    `${path} has SHA-256 ${short(found)} where ${short(sha256)} is recorded: it is damaged or was changed, ` +
      'fetch it again, or record the new digest where the old one stands if the change is meant',
  )
}

/** The SHA-256 of a file in lower-case hex, read as a stream. */
export async function digestOf(path: string, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk)
      onBytes?.(chunk.length)
    }
  } catch (cause) {
    throw new SetupError(`${path} can not be read (${String(cause)}): is the checkpoint complete?`, { cause })
  }
  return hash.digest('hex')
}

function fromListing(line: string): [file: string, digest: string] | null {
  const match = /^\s*([0-9a-f]{64}) [ *](\S.*?)\s*$/i.exec(line)
  return match?.[1] && match[2] ? [match[2], match[1].toLowerCase()] : null
}

function fromRow(line: string): [file: string, digest: string] | null {
  if (!/^\s*\|/.test(line)) return null
  const [, first = '', ...others] = line.split(/(?<!\\)\|/)
  const file = /^\s*(?:`([^`]+)`|([^\s`]+))\s*$/.exec(first)
  const name = file?.[1] ?? file?.[2]
  const digests = others.join(' ').match(digestPattern) ?? []
  return name && digests.length === 1 && digests[0] ? [name, digests[0].toLowerCase()] : null
}

const staysInside = (file: string): boolean =>
  !/[\\\0]/.test(file) && !file.startsWith('/') && !/^[a-z]:/i.test(file) && !file.split('/').includes('..')

const short = (digest: string): string => `${digest.slice(0, 12)}…`
