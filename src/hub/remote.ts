/** A model of the hub → a checkpoint's folder. */
import { familyOfConfig, supportedFamily } from '../build/families.js'
import { ggufModelType } from '../build/gguf-config.js'
import { ggufArchitecture } from '../checkpoint/gguf-architecture.js'
import { readJson } from '../checkpoint/json.js'
import { SetupError } from '../errors.js'
import type { HubClient } from './client.js'
import { download } from './download.js'
import type { Place } from './place.js'
import type { Reference } from './reference.js'
import { contentPath, openRepository, type RemoteFile, type Repository } from './repository.js'
import { type Selection, selectFiles, shardsOf } from './selection.js'

export interface FetchProgress {
  readonly file: string
  /** Bytes of all files that are known to be needed. */
  readonly done: number
  readonly total: number
}

export interface FetchOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: FetchProgress) => void
}

/** Downloads that run at once. */
const PARALLEL = 2
/** Bytes of a GGUF that are looked at before all of it is fetched. */
const GLANCE = 64 * 1024

/**
 * Fetches what is not there yet; the small files first, so that a model that is not supported is named before its
 * gigabytes are on their way.
 * @returns whether anything was fetched
 * @throws SetupError when the hub refuses, the model is not supported, the disk is full, or the content is damaged
 */
export async function fetchRemote(
  hub: HubClient,
  { id, file, revision }: Extract<Reference, { kind: 'hub' }>,
  place: Place,
  options: FetchOptions,
): Promise<boolean> {
  if (hub.settings.offline) {
    if (place.isWhole()) return false
    throw new SetupError(`HF_HUB_OFFLINE is set and ${place.folder} is not there: unset it to fetch ${id}.`)
  }
  const { signal, onProgress } = options
  const repository = await openRepository(hub, id, revision, signal)
  const where = `${hub.settings.endpoint}/${id}`
  const selection = selectFiles([...repository.files.keys()], file, where)
  const all = new Map<string, RemoteFile>()
  let done = 0
  const get = async (paths: readonly string[]): Promise<void> => {
    const files = paths.map((path) => repository.files.get(path)!)
    for (const one of files) all.set(nameOf(one), one)
    const total = [...all.values()].reduce((sum, { size }) => sum + size, 0)
    place.refuseWithoutRoom(files.reduce((sum, one) => sum + missing(place, one), 0))
    await inParallel(files, signal, async (one, within) => {
      const name = nameOf(one)
      const onBytes = (bytes: number) => {
        done += bytes
        onProgress({ file: name, done, total })
      }
      if (!place.isUnchanged(name, one.digest.hex))
        return download(hub, repository, one, place.path(name), { signal: within, onBytes })
      place.keep(name)
      onBytes(one.size)
    })
  }

  await get(selection.description)
  await refuseUnsupported(hub, repository, selection, place, where, signal)
  await get([selection.weights.file])
  if (selection.weights.kind === 'index') {
    const index = place.path(selection.weights.file)
    await get(shardsOf(readJson(index), [...repository.files.keys()], index))
  }
  const digests = new Map([...all].map(([name, { digest }]) => [name, digest.hex]))
  if (place.isWhole(digests)) {
    place.discard()
    return false
  }
  place.finish(repository.commit, digests)
  return true
}

/** Names a family that is not supported, or settings of it, by what describes the model. */
async function refuseUnsupported(
  hub: HubClient,
  repository: Repository,
  { weights, description }: Selection,
  place: Place,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  if (weights.kind !== 'gguf') {
    if (!description.includes('config.json'))
      throw new SetupError(`${where} has no config.json: it is no model that can be built.`)
    supportedFamily(Object(readJson(place.path('config.json'))), where)
    return
  }
  const file = repository.files.get(weights.file)!
  const start = await hub.start(contentPath(repository, file), repository.id, GLANCE, signal)
  const architecture = ggufArchitecture(start)
  if (architecture !== undefined)
    familyOfConfig({ model_type: ggufModelType(new Map([['general.architecture', architecture]])) }, where)
}

/** Runs `work` on all files, a few at once; the first that fails stops the others. */
async function inParallel(
  files: readonly RemoteFile[],
  signal: AbortSignal,
  work: (file: RemoteFile, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const within = AbortSignal.any([signal, stop.signal])
  const waiting = [...files]
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await work(file, within)
  }
  const failures: unknown[] = []
  await Promise.all(
    Array.from({ length: PARALLEL }, () =>
      worker().catch((error: unknown) => {
        failures.push(error)
        stop.abort()
      }),
    ),
  )
  signal.throwIfAborted()
  if (failures.length > 0) throw failures[0]
}

/** Names in the checkpoint's folder: a GGUF may be in a folder of its repository. */
const nameOf = ({ path }: RemoteFile): string => path.split('/').at(-1)!

function missing(place: Place, file: RemoteFile): number {
  const [name, { hex }] = [nameOf(file), file.digest]
  return place.isUnchanged(name, hex) ? 0 : Math.max(0, file.size - place.partial(name, hex))
}
