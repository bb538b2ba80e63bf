/** A model's folder or GGUF file on this machine → a checkpoint's folder. */
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { familyOfConfig, supportedFamily } from '../build/families.js'
import { ggufModelType } from '../build/gguf-config.js'
import { openCheckpoint } from '../checkpoint/checkpoint.js'
import { readJson } from '../checkpoint/json.js'
import { SetupError } from '../errors.js'
import { isFolder } from '../runtime/store.js'
import { linkOrCopy, type Place } from './place.js'
import { describedFiles, selectFiles, shardsOf } from './selection.js'

/**
 * Links the files that make a checkpoint (copies them where links are not possible).
 * @returns whether anything has changed
 * @throws SetupError when it is no model that is supported
 */
export function takeLocal(path: string, place: Place): boolean {
  const folder = isFolder(path) ? path : dirname(path)
  const names = isFolder(path) ? filesOfModel(path) : [fileOfModel(path)]
  const digests = new Map(names.map((name) => [name, state(join(folder, name))]))
  if (place.isWhole(digests)) return false
  try {
    for (const name of names) linkOrCopy(join(folder, name), place.path(name))
    place.finish(null, digests)
  } catch (error) {
    // Half of a copy is worth nothing, and may be why there is no room.
    place.discard()
    throw error
  }
  return true
}

/** In place of a digest: a file of the same size and time is the same, as in builds. */
function state(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw new SetupError(
      `${path} is a link to ${readlinkSync(path)}, which is not there: fetch the model again, or name the folder that has it.`,
    )
  const { size, mtimeMs } = found
  return `${size} bytes of ${mtimeMs}`
}

function fileOfModel(path: string): string {
  if (!path.toLowerCase().endsWith('.gguf'))
    throw new SetupError(
      `${path} is no GGUF file: name it, or the folder that has config.json and the weights.`,
    )
  refuseUnsupportedGguf(path)
  return basename(path)
}

function filesOfModel(folder: string): string[] {
  // Files, and links that lead nowhere, which are named where they are needed; but no pipes, which would be waited for.
  const names = readdirSync(folder).filter(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() ?? true,
  )
  const { description, weights } = selectFiles(names, null, folder)
  const file = join(folder, weights.file)
  if (weights.kind === 'gguf') {
    refuseUnsupportedGguf(file)
    return [...description, ...describedFiles(names), weights.file]
  }
  if (!description.includes('config.json'))
    throw new SetupError(`${folder} has no config.json: it is no model that can be built.`)
  const config = join(folder, 'config.json')
  supportedFamily(Object(readJson(config)), config)
  return [
    ...description,
    weights.file,
    ...(weights.kind === 'index' ? shardsOf(readJson(file), names, file) : []),
  ]
}

function refuseUnsupportedGguf(path: string): void {
  using checkpoint = openCheckpoint(path)
  familyOfConfig({ model_type: ggufModelType(checkpoint.metadata) }, path)
}
