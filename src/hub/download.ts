/** One file of a repository onto the disk: goes on where an earlier run stopped, and is held to its digest. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { type HubClient, Transient } from './client.js'
import { contentPath, type FileDigest, type RemoteFile, type Repository } from './repository.js'

/**
 * Downloads to `target`, by way of `<target>.<digest>.part`: parts of another content than the one wanted now are not
 * gone on with. Bytes that were there already are told to `onBytes`, too; a start anew is a negative number.
 * @throws SetupError when the hub, the content or the disk refuses; the signal's reason when it is aborted
 */
export async function download(
  hub: HubClient,
  repository: Repository,
  file: RemoteFile,
  target: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<void> {
  const part = partOf(target, file.digest.hex)
  removeOtherParts(target, part)
  if (existsSync(target) && (await isWhole(target, file))) return onBytes(file.size)
  rmSync(target, { force: true })
  const handle = await open(part, 'a')
  try {
    const content = new Content(part, handle, file, onBytes)
    await content.readOn()
    let furthest = content.bytes
    await hub.patiently(signal, async (progressed) => {
      while (content.bytes < file.size)
        await receive(hub, repository, file, content, signal, () => {
          if (content.bytes <= furthest) return
          furthest = content.bytes
          progressed()
        })
    })
    content.check()
    await handle.sync()
  } finally {
    await handle.close()
  }
  renameSync(part, target)
}

/** Whether a file of a run that did not come to its end is the one wanted now. */
async function isWhole(path: string, { digest, size }: RemoteFile): Promise<boolean> {
  if (statSync(path).size !== size) return false
  const hash = hashFor(digest, size)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex') === digest.hex
}

/** Git's object names are of the content behind a header. */
const hashFor = ({ kind }: FileDigest, size: number): Hash =>
  kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)

/** Where a file is until it is whole. */
export const partOf = (target: string, digest: string): string => `${target}.${digest.slice(0, 16)}.part`

/** One request's worth of content. */
async function receive(
  hub: HubClient,
  repository: Repository,
  file: RemoteFile,
  content: Content,
  signal: AbortSignal,
  progressed: () => void,
): Promise<void> {
  const from = content.bytes
  const response = await hub.get(contentPath(repository, file), repository.id, {
    signal,
    ...(from > 0 ? { range: `${from}-` } : {}),
  })
  if (response.status !== 206) await content.clear()
  else if (!response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
    await response.body?.cancel()
    await content.clear()
    throw new Transient('the server sent another range than it was asked for')
  }
  const before = content.bytes
  try {
    for await (const chunk of response.body ?? []) {
      await content.add(chunk)
      progressed()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SetupError || (error as NodeJS.ErrnoException).syscall === 'write') throw error
    throw new Transient('the connection broke')
  }
  if (content.bytes === before) throw new Transient('the server sent nothing')
}

/** What is in a part, with its digest so far. */
class Content {
  bytes = 0
  #hash: Hash

  constructor(
    private readonly part: string,
    private readonly handle: FileHandle,
    private readonly file: RemoteFile,
    private readonly onBytes: (bytes: number) => void,
  ) {
    this.#hash = hashFor(this.file.digest, this.file.size)
  }

  /** Takes what an earlier run left. */
  async readOn(): Promise<void> {
    if (statSync(this.part).size > this.file.size) await this.handle.truncate(0)
    for await (const chunk of createReadStream(this.part, { highWaterMark: 1 << 20 }))
      this.#take(chunk as Buffer)
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.bytes + chunk.length > this.file.size) {
      await this.clear()
      throw new SetupError(
        `${this.file.path} is longer than the ${this.file.size} bytes that the hub says it has.`,
      )
    }
    await this.handle.appendFile(chunk)
    this.#take(chunk)
  }

  async clear(): Promise<void> {
    if (this.bytes === 0) return
    await this.handle.truncate(0)
    this.onBytes(-this.bytes)
    this.bytes = 0
    this.#hash = hashFor(this.file.digest, this.file.size)
  }

  /** @throws SetupError, and forgets the content, when it is not what the hub says it is */
  check(): void {
    const found = this.#hash.digest('hex')
    if (found === this.file.digest.hex) return
    rmSync(this.part)
    throw new SetupError(
      `${this.file.path} has the digest ${found.slice(0, 12)}… where the hub says ${this.file.digest.hex.slice(0, 12)}…: it was damaged on its way, and is gone; run the same command again.`,
    )
  }

  #take(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.bytes += chunk.length
    this.onBytes(chunk.length)
  }
}

/** Those of this file alone: LICENSE.txt, which begins as LICENSE does, may be on its way beside it. */
function removeOtherParts(target: string, part: string): void {
  const folder = dirname(target)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const [, of] = /^(.+)\.[0-9a-f]{16}\.part$/s.exec(name) ?? []
    if (of === basename(target) && name !== basename(part)) rmSync(join(folder, name))
  }
}
