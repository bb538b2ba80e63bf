import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder: the compiled tests live in dist-test/. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder of an embedded checkpoint. */
export const checkpoint = (name: string): string => join(root, 'checkpoints', name)
