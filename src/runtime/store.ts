/**
 * Engine folders: engines/<runtime>/<model>/. The manifest is written last and the folder renamed into place, so
 * an engine is there whole or not at all.
 */
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../errors.js'
import { difference } from './identity.js'
import { type FileRecord, type Identity, MANIFEST, type Manifest, type Runtime } from './manifest.js'

const commands: Record<Runtime, string> = {
  onnxruntime: 'run `npm run build-engines` (or `npm start`, which does it)',
  tensorrt:
    'run `npm run build-engines -- --runtime tensorrt` (or `npm start` with RUNTIME=tensorrt, which does it)',
}

/** The error for an engine that can not be used because of `reason`, a sentence without its full stop. */
export const needsBuild = (reason: string, runtime: Runtime = 'onnxruntime'): SetupError =>
  new SetupError(`${reason}: ${commands[runtime]}.`)

/** The manifest of the engine in `folder`; SetupError when there is none or it cannot be read. */
export function readManifest(folder: string): Manifest {
  const found = manifestIn(folder)
  if (typeof found !== 'string') return found
  throw needsBuild(found)
}

/** The manifest, or why there is none to go by. */
function manifestIn(folder: string): Manifest | string {
  const path = join(folder, MANIFEST)
  if (!existsSync(path)) return `There is no engine in ${folder}`
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest | null
    const whole = manifest?.files && manifest.sources && manifest.graphs && manifest.options
    return whole ? manifest : `${path} is no manifest`
  } catch (error) {
    return `${path} is no manifest (${(error as Error).message})`
  }
}

/** The engines of a runtime: folders with a manifest, by name. */
export function listEngines(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.') && existsSync(join(folder, name, MANIFEST)))
    .sort()
}

/** Size, time and SHA-256 of a file as they are now. */
export async function recordFile(
  path: string,
  onBytes: (bytes: number) => void = () => {},
): Promise<FileRecord> {
  const { size, mtimeMs } = statSync(path)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    onBytes((chunk as Buffer).length)
  }
  return { size, mtimeMs, sha256: hash.digest('hex') }
}

/** How a file stands to its record: `same` by size and time; `touched` only by its content; else what is wrong. */
export async function compareFile(path: string, record: FileRecord): Promise<'same' | 'touched' | string> {
  if (!existsSync(path)) return 'is missing'
  const { size, mtimeMs } = statSync(path)
  if (size !== record.size) return `has ${size} bytes instead of ${record.size}`
  if (mtimeMs === record.mtimeMs) return 'same'
  return (await recordFile(path)).sha256 === record.sha256
    ? 'touched'
    : 'has another SHA-256 than when it was built'
}

/** A folder, or a link to one. */
export const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory()

/**
 * Paths of all files below a folder, with forward slashes. Links count as what they lead to (Hugging Face's cache is
 * made of them), but not a link to a folder around it, nor one that leads nowhere; names beginning with a dot are
 * what a file manager, git or a download keeps for itself.
 */
export function filesIn(folder: string): string[] {
  const files: string[] = []
  const visit = (prefix: string, around: readonly string[]) => {
    const real = realpathSync(join(folder, prefix))
    if (around.includes(real)) return
    for (const name of readdirSync(real)) {
      const path = join(real, name)
      if (name.startsWith('.') || !existsSync(path)) continue
      if (isFolder(path)) visit(`${prefix}${name}/`, [...around, real])
      else if (statSync(path).isFile()) files.push(`${prefix}${name}`)
    }
  }
  visit('', [])
  return files.sort()
}

/** The files of a checkpoint that its engine depends on; the card counts because it records their digests. */
export function sourceFiles(checkpoint: string): string[] {
  return filesIn(checkpoint).filter((name) => !/^(LICENSE|NOTICE)/.test(name))
}

/** `reason` is a sentence without its full stop, as {@link needsBuild} wants it. */
export type Freshness = { fresh: true; manifest: Manifest } | { fresh: false; reason: string }

/**
 * Whether the engine in `folder` is whole and was made by and for what `identity` says from the checkpoint as it is
 * now; a checkpoint that is not there (engines may travel alone) is not looked at. Sizes and times decide; the
 * SHA-256 of a file whose time has changed. New times of unchanged files are noted in the manifest where it can be
 * written, so that they are read only once.
 */
export async function freshness(folder: string, checkpoint: string, identity: Identity): Promise<Freshness> {
  const manifest = manifestIn(folder)
  if (typeof manifest === 'string') return { fresh: false, reason: manifest }
  const differs = difference(manifest, identity)
  if (differs !== undefined) return { fresh: false, reason: `The engine in ${folder} ${differs}` }

  const current = { ...manifest, sources: { ...manifest.sources }, files: { ...manifest.files } }
  const places: [string, Record<string, FileRecord>][] = [[folder, current.files]]
  if (existsSync(checkpoint)) {
    if (Object.keys(manifest.sources).sort().join() !== sourceFiles(checkpoint).sort().join())
      return { fresh: false, reason: `${checkpoint} has other files than its engine was built from` }
    places.push([checkpoint, current.sources])
  }
  for (const [place, records] of places)
    for (const [name, record] of Object.entries(records)) {
      const path = join(place, name)
      const found = await compareFile(path, record)
      if (found === 'touched') records[name] = { ...record, mtimeMs: statSync(path).mtimeMs }
      else if (found !== 'same') return { fresh: false, reason: `${path} ${found}` }
    }
  if (JSON.stringify(current) !== JSON.stringify(manifest)) noteTimes(folder, current)
  return { fresh: true, manifest: current }
}

/** Where nothing can be written, as in a container whose files are read-only, they are read again at the next start. */
function noteTimes(folder: string, manifest: Manifest): void {
  try {
    writeManifest(folder, manifest)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT'].includes(code)) throw error
  }
}

/** Writes the manifest whole: a killed process leaves the old one. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const path = join(folder, MANIFEST)
  writeFileSync(`${path}.new`, `${JSON.stringify(manifest, null, 1)}\n`)
  renameSync(`${path}.new`, path)
}
