/** What `fetch-model` is asked for: a model of the hub, or a folder or file of this machine. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { SetupError } from '../errors.js'

export type Reference =
  | { readonly kind: 'local'; readonly path: string }
  | {
      readonly kind: 'hub'
      /** `owner/name`. */
      readonly id: string
      /** A GGUF file, or the quantisation in its name. */
      readonly file: string | null
      /** Branch, tag or commit. */
      readonly revision: string
    }

/** @throws SetupError when it is neither */
export function parseReference(text: string): Reference {
  if (/^(\.{0,2}[/\\]|\.{1,2}$|[a-z]:[/\\])/i.test(text) || existsSync(text)) {
    if (existsSync(text)) return { kind: 'local', path: resolve(text) }
    throw new SetupError(`There is no file or folder ${text}.`)
  }
  const [, id, file, revision] =
    /^([\w-][\w.-]{0,95}\/[\w-][\w.-]{0,95})(?::([^@]+))?(?:@([^:]+))?$/.exec(text) ?? []
  if (!id)
    throw new SetupError(
      `"${text}" is neither a file or folder here nor a model of the hub, which is written owner/name, owner/name:file.gguf, owner/name:Q4_K_M or with @revision behind.`,
    )
  return { kind: 'hub', id, file: file ?? null, revision: revision ?? 'main' }
}

/** The name of the checkpoint's folder: that of the GGUF file, else of the model or folder; in small letters. */
export function checkpointName(from: string): string {
  const name = basename(from)
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '')
  if (name !== '') return name
  throw new SetupError(`"${from}" gives no name for a checkpoint: choose one with --name.`)
}
