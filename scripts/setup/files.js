/** Looking at files: what changed since last time. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A file's text, or undefined if there is none. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Size and time of files: equal as long as nobody wrote to one.
 * @param {string} root
 * @param {string[]} paths files relative to root; absent ones are left out
 * @returns {Record<string, string>}
 */
export function fingerprint(root, paths) {
  const result = {}
  for (const path of paths) {
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat) result[path] = `${stat.size} ${stat.mtimeMs}`
  }
  return result
}

/** The TypeScript files below a folder, relative to root, sorted, with slashes on every platform. */
export function sourcesIn(root, folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.split(sep).join('/')}`)
    .sort()
}
