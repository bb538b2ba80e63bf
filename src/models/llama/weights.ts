/** The family's checkpoints as the graph sees them: under the names, in the row order and with the norms of one form. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { CheckpointTensor } from '../../checkpoint/tensor.js'
import { SetupError } from '../../errors.js'
import type { LlamaConfig } from './config.js'
import { huggingFaceName, permutedHeads } from './weights/gguf-names.js'
import { HalfSplitRows } from './weights/half-split-rows.js'

/**
 * A view of a checkpoint, safetensors or GGUF, with the names and the row order that Hugging Face's have, and norms
 * whose weights are the scale itself. Unknown names stay.
 * @throws SetupError naming two tensors that are the same one: neither may hide the other
 */
export function withHuggingFaceNames(checkpoint: Checkpoint, config: LlamaConfig): Checkpoint {
  const architecture = checkpoint.metadata.get('general.architecture')
  const gguf = typeof architecture === 'string' ? architecture : null
  const rename = (name: string) => (gguf === null ? textName(name) : huggingFaceName(name, gguf))
  const stored = new Map<string, string>()
  for (const name of checkpoint.names) {
    const other = stored.get(rename(name))
    if (other !== undefined)
      throw new SetupError(`The checkpoint has ${other} and ${name}, which are one tensor: it is damaged.`)
    stored.set(rename(name), name)
  }
  const tensor = (name: string): CheckpointTensor => {
    const found = checkpoint.tensor(stored.get(name) ?? name)
    if (gguf === null) return config.normsAroundOne && /norm\.weight$/.test(name) ? plusOne(found) : found
    // A GGUF has the scales of norms themselves, but perhaps rows in another order.
    const heads = permutedHeads(gguf, name, config)
    return heads === 0 ? found : new HalfSplitRows(found, heads)
  }
  return {
    names: [...stored.keys()],
    metadata: checkpoint.metadata,
    has: (name) => stored.has(name),
    tensor,
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}

/** Checkpoints that see, too, have the text half below `language_model`, on either side of `model`. */
const textName = (name: string): string =>
  name.replace(/^language_model\.(?=model\.|lm_head\.)/, '').replace(/^model\.language_model\./, 'model.')

const plusOne = (tensor: CheckpointTensor): CheckpointTensor => ({
  name: tensor.name,
  dims: tensor.dims,
  storage: tensor.storage,
  floats: () => tensor.floats().map((value) => value + 1),
  quantised: () => null,
})
