/**
 * Where a fetched checkpoint is put together: in `<checkpoints>/.<name>.fetching`, which takes its place when it is whole,
 * so that no build meets half of one.
 */
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { removeLeftovers, replaceFolder } from '../build/folder.js'
import { SetupError } from '../errors.js'
import { partOf } from './download.js'

/** What was fetched, from where: begins with a dot, so it is no file of the checkpoint. */
const RECORD = '.fetched.json'
/** Bytes that are left free on the disk: engines want room, too. */
const SPARE = 256 * 1024 * 1024

export interface FetchRecord {
  /** The model's id on the hub with the file that was asked for, or the path it came from. */
  readonly source: string
  /** Commit of the repository; null for what is local. */
  readonly commit: string | null
  /** By name in the folder. */
  readonly files: Readonly<Record<string, { size: number; mtimeMs: number; digest: string }>>
}

export class Place {
  readonly folder: string
  readonly building: string
  /** What an earlier run put there. */
  readonly record: FetchRecord | null
  readonly #source: string

  /**
   * @param source as in the record
   * @throws SetupError when another checkpoint has the name
   */
  constructor(checkpoints: string, name: string, source: string) {
    this.#source = source
    this.folder = join(checkpoints, name)
    this.building = join(checkpoints, `.${name}.fetching`)
    this.record = readRecord(this.folder)
    if (existsSync(this.folder) && this.record?.source !== source)
      throw new SetupError(
        `${this.folder} is there and did not come from ${source}: remove it, or choose another name with --name.`,
      )
    removeLeftovers(checkpoints, name)
    mkdirSync(this.building, { recursive: true })
  }

  path(name: string): string {
    return join(this.building, name)
  }

  /** Whether the checkpoint is there as it was fetched, with these files and no others (any, if absent). */
  isWhole(digests?: ReadonlyMap<string, string>): boolean {
    const { files } = this.record ?? {}
    if (!files) return false
    const names = Object.keys(files)
    if (digests && (names.length !== digests.size || names.some((name) => !digests.has(name)))) return false
    return names.every((name) => this.isUnchanged(name, digests?.get(name)))
  }

  isUnchanged(name: string, digest?: string): boolean {
    const known = this.record?.files[name]
    const now = statSync(join(this.folder, name), { throwIfNoEntry: false })
    if (!known || !now || (digest !== undefined && known.digest !== digest)) return false
    return now.size === known.size && now.mtimeMs === known.mtimeMs
  }

  /** Takes a file of the checkpoint that is there into the new one. */
  keep(name: string): void {
    linkOrCopy(join(this.folder, name), this.path(name))
  }

  /** @throws SetupError when the disk has no room for so many bytes more; none are always welcome */
  refuseWithoutRoom(bytes: number): void {
    if (bytes === 0) return
    const { bavail, bsize } = statfsSync(this.building)
    const free = bavail * bsize
    if (bytes + SPARE <= free) return
    throw new SetupError(
      `${this.building} needs ${gigabytes(bytes)} more and the disk has ${gigabytes(free)} free, of which ${gigabytes(SPARE)} are to stay: make room, or set CHECKPOINTS to a folder on another disk.`,
    )
  }

  /** Puts the new checkpoint, of exactly these files, in its place. */
  finish(commit: string | null, digests: ReadonlyMap<string, string>): void {
    for (const name of readdirSync(this.building))
      if (!digests.has(name)) rmSync(this.path(name), { recursive: true })
    const files = [...digests].map(([name, digest]) => {
      const { size, mtimeMs } = statSync(this.path(name))
      return [name, { size, mtimeMs, digest }] as const
    })
    const record: FetchRecord = { source: this.#source, commit, files: Object.fromEntries(files) }
    writeFileSync(this.path(RECORD), `${JSON.stringify(record, null, 1)}\n`)
    replaceFolder(this.building, this.folder)
  }

  /** Bytes of a file that are there already, of an earlier run. */
  partial(name: string, digest: string): number {
    const found = [this.path(name), partOf(this.path(name), digest)].map(
      (path) => statSync(path, { throwIfNoEntry: false })?.size,
    )
    return Math.max(0, ...found.map((size) => size ?? 0))
  }

  /** Forgets what was put together. */
  discard(): void {
    rmSync(this.building, { recursive: true })
  }

  /** Takes the folder away again where nothing has come to lie in it. */
  leave(): void {
    if (existsSync(this.building) && readdirSync(this.building).length === 0)
      rmSync(this.building, { recursive: true })
  }
}

/**
 * A hard link to what `source` is in the end, which takes no room; on another disk, or where the file system knows no
 * links, a copy.
 */
export function linkOrCopy(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true })
  rmSync(target, { force: true })
  const real = realpathSync(source)
  try {
    linkSync(real, target)
  } catch {
    copyFileSync(real, target, constants.COPYFILE_FICLONE)
  }
}

function readRecord(folder: string): FetchRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as FetchRecord | null
    return typeof record?.source === 'string' && typeof record.files === 'object' ? record : null
  } catch {
    return null // not one of ours, which the caller says
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
