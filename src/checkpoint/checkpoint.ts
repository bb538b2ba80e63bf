import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { foldCompanions } from './companions.js'
import { RangeFile } from './file.js'
import { readGguf } from './gguf.js'
import { foldPacked } from './packed.js'
import { readSafetensors } from './safetensors.js'
import { readSharded } from './sharded.js'
import type { CheckpointTensor } from './tensor.js'

/** Named tensors of a model, from one file or several; disposing closes the files. */
export interface Checkpoint extends Disposable {
  /** Logical tensors: the companions `x_scale` and `x_zero_point`, and parts of packed weights, are not listed. */
  readonly names: readonly string[]
  has(name: string): boolean
  /** @throws SetupError naming the tensor and the file or folder when it is missing. */
  tensor(name: string): CheckpointTensor
  /** GGUF's key/values (long arrays are read at each `get`), the `__metadata__` of safetensors. */
  readonly metadata: ReadonlyMap<string, unknown>
}

interface Content {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>
  readonly metadata: ReadonlyMap<string, unknown>
}

/**
 * Opens a folder laid out as on Hugging Face (model.safetensors, the shards of a *.safetensors.index.json, a single
 * other *.safetensors, or a single *.gguf, in this order) or one such file. Headers are read and checked here, tensors
 * when asked for. Weights that safetensors hold packed into integers, as the config.json beside them says, are one
 * tensor `<module>.weight` each.
 * @throws SetupError naming the file, the tensor and the fault.
 */
export function openCheckpoint(path: string): Checkpoint {
  const files: RangeFile[] = []
  const open = (name: string): RangeFile => {
    const file = new RangeFile(name)
    files.push(file)
    return file
  }
  const close = (): void => {
    for (const file of files) file[Symbol.dispose]()
  }
  try {
    const { tensors, metadata } = readContent(open(checkpointFile(path)), open)
    return new OpenCheckpoint(path, tensors, metadata, close)
  } catch (error) {
    close()
    throw error
  }
}

class OpenCheckpoint implements Checkpoint {
  readonly names: readonly string[]
  readonly metadata: ReadonlyMap<string, unknown>
  readonly #path: string
  readonly #tensors: ReadonlyMap<string, CheckpointTensor>
  readonly #close: () => void

  constructor(
    path: string,
    tensors: ReadonlyMap<string, CheckpointTensor>,
    metadata: ReadonlyMap<string, unknown>,
    close: () => void,
  ) {
    this.names = [...tensors.keys()]
    this.metadata = metadata
    this.#path = path
    this.#tensors = tensors
    this.#close = close
  }

  has(name: string): boolean {
    return this.#tensors.has(name)
  }

  tensor(name: string): CheckpointTensor {
    const tensor = this.#tensors.get(name)
    if (!tensor)
      throw new SetupError(`${this.#path} has no tensor ${name}: is it the checkpoint of another model?`)
    return tensor
  }

  [Symbol.dispose](): void {
    this.#close()
  }
}

/** The content decides; a name only where the content is too damaged to tell. */
function readContent(file: RangeFile, open: (path: string) => RangeFile): Content {
  const start = file.read(0, Math.min(file.size, 8))
  const text = Buffer.from(start).toString('latin1')
  if (text.startsWith('GGUF') || file.path.endsWith('.gguf')) return readGguf(file)
  // JSON from the first byte on; as the length of a safetensors header such bytes would be at least 2^57.
  const isIndex = text.startsWith('{') && start.at(-1) !== 0
  const { tensors, metadata } = isIndex ? readSharded(file, open) : readSafetensors(file)
  const { plain, packed } = foldPacked(tensors, dirname(file.path))
  const folded = foldCompanions(plain)
  for (const weight of packed) folded.set(weight.name, weight)
  return { tensors: folded, metadata }
}

function checkpointFile(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path
  const names = list(path)
  if (names.includes('model.safetensors')) return join(path, 'model.safetensors')
  for (const ending of ['.safetensors.index.json', '.safetensors', '.gguf']) {
    const [name, ...more] = names.filter((candidate) => candidate.toLowerCase().endsWith(ending))
    if (name === undefined) continue
    if (more.length === 0) return join(path, name)
    throw new SetupError(
      `${path} has several checkpoints (${[name, ...more].join(', ')}): name the file to use`,
    )
  }
  throw new SetupError(
    `${path} has no *.safetensors and no *.gguf file: put a checkpoint there or name another folder`,
  )
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    throw new SetupError(`${folder} can not be listed (${String(cause)}): check its permissions`, { cause })
  }
}
