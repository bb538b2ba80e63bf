/** The identity of the code that builds a family's engines: a digest over the compiled modules it is made of. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Family } from './manifest.js'

/**
 * SHA-256 (16 hex digits) over `models/<family>/build.js`, the readers of checkpoints and every module that these
 * import from this program, and `build.js` with its room, which make the engine's folder. It changes when the text of
 * these modules changes, their comments included: an engine is rather built once too often. Nothing is loaded or run.
 */
export function builderIdentity(family: Family): string {
  const modules = new Map<string, string>()
  const visit = (url: URL) => {
    const path = fileURLToPath(url)
    if (modules.has(path) || !existsSync(path)) return
    const code = readFileSync(path, 'utf8')
    modules.set(path, code)
    for (const [, specifier] of code.matchAll(/\bfrom '(\.{1,2}\/[^']+)'/g)) visit(new URL(specifier!, url))
  }
  for (const entry of [`models/${family}/build.js`, 'checkpoint/checkpoint.js'])
    visit(new URL(`../${entry}`, import.meta.url))
  // Without its imports, which are the other families, too.
  const build = fileURLToPath(new URL('../build', import.meta.url))
  const room = existsSync(build) ? readdirSync(build).map((name) => join(build, name)) : []
  for (const path of [`${build}.js`, ...room])
    if (path.endsWith('.js') && existsSync(path)) modules.set(path, readFileSync(path, 'utf8'))
  const hash = createHash('sha256')
  for (const path of [...modules.keys()].sort()) hash.update(modules.get(path)!)
  return hash.digest('hex').slice(0, 16)
}
