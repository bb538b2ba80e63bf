/** The identity of the code that builds a family's engines: a digest over the compiled modules it is made of. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Family } from './manifest.js'

/**
 * SHA-256 (16 hex digits) over `models/<family>/build.js` and every module that it imports from this program. It
 * changes exactly when the code that shapes the engine does; nothing is loaded or run.
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
  visit(new URL(`../models/${family}/build.js`, import.meta.url))
  const hash = createHash('sha256')
  for (const path of [...modules.keys()].sort()) hash.update(modules.get(path)!)
  return hash.digest('hex').slice(0, 16)
}
