/** Which files of a model's repository or folder make a checkpoint. */
import { SetupError } from '../errors.js'

export interface Selection {
  /** Small files, fetched first: what they describe may not be supported. */
  readonly description: readonly string[]
  /** The file that names the shards, or the weights themselves. */
  readonly weights: { readonly kind: 'index' | 'safetensors' | 'gguf'; readonly file: string }
}

const described = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'preprocessor_config.json',
]
/** The files among them that describe a model. */
export const describedFiles = (names: readonly string[]): string[] =>
  names.filter((name) => described.includes(name))

const licence = /^(LICEN[CS]E|NOTICE|USE_POLICY)[^/]*$/i
const pickled = /\.(bin|pth?|ckpt|pkl|pickle)$/i

/**
 * Safetensors with their description where there are any; else, or if asked for, one GGUF, which describes itself.
 * @param names paths of all files
 * @param file a GGUF file, or the quantisation in its name; null if none was asked for
 * @param where what messages call the repository or folder
 * @throws SetupError when there are no weights that can be read, or several to choose from
 */
export function selectFiles(names: readonly string[], file: string | null, where: string): Selection {
  const licences = names.filter((name) => licence.test(name))
  const description = [...describedFiles(names), ...licences]
  const ggufs = names.filter((name) => name.toLowerCase().endsWith('.gguf'))
  if (file !== null)
    return { description: licences, weights: { kind: 'gguf', file: chosenGguf(ggufs, file, where) } }
  if (names.includes('model.safetensors'))
    return { description, weights: { kind: 'safetensors', file: 'model.safetensors' } }
  if (names.includes('model.safetensors.index.json'))
    return { description, weights: { kind: 'index', file: 'model.safetensors.index.json' } }
  const [single, ...more] = names.filter((name) => /^[^/]+\.safetensors$/.test(name))
  if (single !== undefined && more.length === 0)
    return { description, weights: { kind: 'safetensors', file: single } }
  if (ggufs.length > 0)
    return { description: licences, weights: { kind: 'gguf', file: chosenGguf(ggufs, '', where) } }
  const pickle = names.find((name) => pickled.test(name))
  if (pickle !== undefined)
    throw new SetupError(
      `${where} has its weights only as ${pickle}: such files are pickles, which can run programs when opened, and are not read. Choose a model with safetensors or GGUF.`,
    )
  throw new SetupError(
    more.length > 0
      ? `${where} has several *.safetensors and no model.safetensors.index.json that tells which belong together.`
      : `${where} has neither safetensors nor a GGUF file: it is no model that can be fetched.`,
  )
}

/** The files that an index names: beside it, each once. @throws SetupError when it is no index, or names others */
export function shardsOf(index: unknown, names: readonly string[], where: string): string[] {
  const { weight_map: map } = Object(index) as { weight_map?: unknown }
  const shards = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : []
  if (shards.length === 0) throw new SetupError(`${where} has no weight_map: the model is damaged.`)
  return shards.map((shard: unknown) => {
    if (typeof shard === 'string' && /^[^/\\]+\.safetensors$/.test(shard) && names.includes(shard))
      return shard
    throw new SetupError(`${where} names the file ${JSON.stringify(shard)}, which is not there.`)
  })
}

function chosenGguf(ggufs: readonly string[], wanted: string, where: string): string {
  const exact = ggufs.find((name) => name === wanted || name.split('/').at(-1) === wanted)
  const found = exact === undefined ? ggufs.filter((name) => hasQuantisation(name, wanted)) : [exact]
  const [one, ...more] = found
  if (one === undefined)
    throw new SetupError(`${where} has no GGUF file ${wanted} (it has ${ggufs.join(', ') || 'none'}).`)
  if (/-\d{5}-of-\d{5}\.gguf$/i.test(one))
    throw new SetupError(
      `${where} has ${one} in several parts, which are not read: choose another quantisation, or join them with llama.cpp's gguf-split --merge.`,
    )
  if (more.length === 0) return one
  throw new SetupError(
    `${where} has several GGUF files (${found.join(', ')}): name the one you mean, behind a colon if it is of the hub.`,
  )
}

/** Whether the name has the quantisation as a word, such as Q4_K_M; an empty one is in every name. */
function hasQuantisation(name: string, quantisation: string): boolean {
  if (quantisation === '') return !/(^|\/)mmproj/i.test(name)
  const at = name.toLowerCase().lastIndexOf(quantisation.toLowerCase())
  if (at < 0) return false
  return ![name[at - 1], name[at + quantisation.length]].some((beside) => /[a-z0-9_]/i.test(beside ?? ''))
}
