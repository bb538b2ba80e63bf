/** A model, of the hub or of this machine, → a checkpoint's folder that engines are built from. */
import { join } from 'node:path'
import { diskFault } from '../build/disk-fault.js'
import { familyOf } from '../build/families.js'
import type { Family } from '../runtime/manifest.js'
import { HubClient, type OnWait } from './client.js'
import { takeLocal } from './local.js'
import { Place } from './place.js'
import { checkpointName, parseReference } from './reference.js'
import { type FetchOptions, fetchRemote } from './remote.js'
import { readHubSettings } from './settings.js'

export interface FetchModelOptions extends FetchOptions {
  /** Where checkpoints are; the model gets a folder there. */
  readonly checkpoints: string
  /** The folder's name; made of the model's own if absent. */
  readonly name?: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Milliseconds before a broken transfer is tried again for the first time. */
  readonly pause?: number
  readonly onWait?: OnWait
}

export interface FetchedModel {
  readonly name: string
  readonly folder: string
  readonly family: Family
  /** False: all of it was there. */
  readonly fetched: boolean
}

/**
 * @param reference `owner/name[:file or quantisation][@revision]` of the hub, or the path of a folder or GGUF file
 * @throws SetupError for everything that the operator can change; the signal's reason when it is aborted: what has come so
 * far stays, and the next run goes on with it
 */
export async function fetchModel(reference: string, options: FetchModelOptions): Promise<FetchedModel> {
  const { checkpoints, environment, pause, onWait, ...rest } = options
  const wanted = parseReference(reference)
  const ofHub = wanted.kind === 'hub'
  const quantised = ofHub && wanted.file ? `${wanted.id.split('/')[1]}-${wanted.file}` : undefined
  const own = ofHub ? (quantised ?? wanted.id) : wanted.path
  const name = checkpointName(options.name ?? own)
  const hub = ofHub ? new HubClient(readHubSettings(environment), { pause, onWait }) : null
  try {
    const source = ofHub ? [wanted.id, wanted.file].filter(Boolean).join(':') : wanted.path
    const place = new Place(checkpoints, name, source)
    try {
      const fetched = ofHub ? await fetchRemote(hub!, wanted, place, rest) : takeLocal(wanted.path, place)
      const folder = join(checkpoints, name)
      return { name, folder, family: familyOf(folder), fetched }
    } catch (error) {
      throw diskFault(error, 'The model', checkpoints, ', it goes on where it was')
    } finally {
      place.leave()
    }
  } finally {
    await hub?.close()
  }
}
