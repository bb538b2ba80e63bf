/** An engine's folder while it is made: beside its place, so that a reader sees it whole or not at all. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { filesIn, isFolder } from '../runtime/store.js'
import { diskFault } from './disk-fault.js'

/**
 * Lets `fill` fill a new folder, which then takes the place of `folder`; if `fill` fails, nothing of it stays. Clears
 * away what killed builds left.
 * @throws SetupError when the disk is full, or does not let itself be written to
 */
export async function makeFolder<T>(folder: string, fill: (building: string) => Promise<T>): Promise<T> {
  const parent = dirname(folder)
  const building = join(parent, `.${basename(folder)}.building-${process.pid}`)
  try {
    removeLeftovers(parent, basename(folder))
    mkdirSync(building, { recursive: true })
    const result = await fill(building)
    replaceFolder(building, folder)
    return result
  } catch (error) {
    rmSync(building, { recursive: true, force: true })
    throw diskFault(error, 'The engine', parent, '')
  }
}

/** Copies a file, or all files of a folder; of links what they lead to, because an engine stands alone. */
export function copyAsset(source: string, target: string): void {
  if (!existsSync(source)) throw new SetupError(`${source} is missing: fetch the whole checkpoint.`)
  const names = isFolder(source) ? filesIn(source) : ['']
  for (const name of names) {
    const path = join(target, name)
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(join(source, name), path)
  }
}

/** Removes what killed builds and fetches left behind; what another process is at work on stays. */
export function removeLeftovers(parent: string, model: string): void {
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    const [, of, pid] = /^\.(.+)\.(?:building|replaced)-(\d+)$/.exec(name) ?? []
    if (of === model && !isAnotherAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isAnotherAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Puts `building` at `folder` by renaming; a reader sees the old engine, none, or the new one, never a mixture. */
export function replaceFolder(building: string, folder: string): void {
  const replaced = join(dirname(folder), `.${basename(folder)}.replaced-${process.pid}`)
  if (existsSync(folder)) renameSync(folder, replaced)
  renameSync(building, folder)
  rmSync(replaced, { recursive: true, force: true })
}
