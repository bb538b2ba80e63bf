/** The checkpoints that engines are built from: which there are, of which family, and whether they are whole. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '../checkpoint/checkpoint.js'
import { digestOf, recordedDigests, verifyFile } from '../checkpoint/digest.js'
import { readJson } from '../checkpoint/json.js'
import { SetupError } from '../errors.js'
import type { FileRecord } from '../runtime/manifest.js'
import { isFolder, sourceFiles } from '../runtime/store.js'
import { ggufModelType } from './gguf-config.js'

/**
 * The names of the checkpoint folders to build from, sorted.
 * @param models those wanted; all if absent
 * @throws SetupError when the folder, or one of those wanted, is not there
 */
export function checkpointNames(checkpoints: string, models?: readonly string[]): string[] {
  if (!existsSync(checkpoints))
    throw new SetupError(`There is no checkpoint folder ${checkpoints}: set CHECKPOINTS to the one you mean.`)
  const found = readdirSync(checkpoints).filter(
    (name) => !name.startsWith('.') && isCheckpoint(join(checkpoints, name)),
  )
  const missing = models?.find((name) => !found.includes(name))
  if (missing !== undefined)
    throw new SetupError(
      `There is no checkpoint ${missing} with a config.json or a GGUF file in ${checkpoints} (found: ${found.join(', ') || 'none'}).`,
    )
  return [...(models ?? found)].sort()
}

/** A folder with config.json, or with a GGUF file, which needs none. */
const isCheckpoint = (folder: string): boolean => existsSync(join(folder, 'config.json')) || hasGguf(folder)

const hasGguf = (folder: string): boolean =>
  isFolder(folder) && readdirSync(folder).some((name) => name.toLowerCase().endsWith('.gguf'))

type Config = Readonly<Record<string, unknown>>

/**
 * The checkpoint's config.json, an object; of a GGUF that does without only the `model_type`.
 * @throws SetupError if it is not JSON, or the GGUF is damaged
 */
export function configOf(folder: string): Config {
  const written = writtenConfig(folder)
  if (written && !(isStub(written) && hasGguf(folder))) return written
  using checkpoint = openCheckpoint(folder)
  const model_type = ggufModelType(checkpoint.metadata)
  return written && model_type === undefined ? written : { model_type }
}

/** The folder's config.json, an object; undefined when there is none. @throws SetupError if it is not JSON */
export function writtenConfig(folder: string): Config | undefined {
  const path = join(folder, 'config.json')
  return existsSync(path) ? (Object(readJson(path)) as Config) : undefined
}

/** Beside GGUF files there often is a config.json with nothing but the model's type: it does not describe the network. */
export const isStub = (config: Config): boolean =>
  !('num_hidden_layers' in config) && !('text_config' in config)

/** All files as they are now, each compared with the SHA-256 that the model card records for it. */
export async function verifiedSources(
  folder: string,
  progress: (total: number) => (bytes: number) => void,
): Promise<Record<string, FileRecord>> {
  const names = sourceFiles(folder)
  const recorded = recordedDigests(folder)
  for (const name of recorded.keys())
    if (!existsSync(join(folder, name)))
      throw new SetupError(`${join(folder, name)} is missing, though the model card lists it.`)
  const onBytes = progress(totalSize(folder, names))
  return records(names, async (name) => {
    const path = join(folder, name)
    const { size, mtimeMs } = statSync(path)
    const expected = recorded.get(name)
    if (expected) await verifyFile(path, expected, onBytes)
    return { size, mtimeMs, sha256: expected ?? (await digestOf(path, onBytes)) }
  })
}

/** One record per file, made one after the other. */
export async function records(
  names: readonly string[],
  record: (name: string) => Promise<FileRecord>,
): Promise<Record<string, FileRecord>> {
  const result: Record<string, FileRecord> = {}
  for (const name of names) result[name] = await record(name)
  return result
}

/** Bytes of files of a folder. */
export function totalSize(folder: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
