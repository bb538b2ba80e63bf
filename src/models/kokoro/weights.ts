/**
 * Exceptions of the checkpoint's naming: the `module.` that PyTorch's DataParallel leaves in names, and weight norm,
 * which upstream stores as a magnitude and a direction (`weight_g`, `weight_v`, or the `parametrizations` spelling).
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { CheckpointTensor } from '../../checkpoint/tensor.js'

const pairs = [
  { magnitude: 'weight_g', direction: 'weight_v' },
  { magnitude: 'parametrizations.weight.original0', direction: 'parametrizations.weight.original1' },
]

/** The checkpoint under the names of the plain network, with weight norm folded into `.weight`. */
export function plainNames(checkpoint: Checkpoint): Checkpoint {
  const tensors = new Map<string, () => CheckpointTensor>()
  for (const original of checkpoint.names) {
    const name = original.replaceAll(/(^|\.)module\./g, '$1')
    const pair = pairs.find(({ direction }) => name.endsWith(`.${direction}`))
    if (pair) {
      const stem = original.slice(0, -pair.direction.length)
      const plain = `${name.slice(0, -pair.direction.length)}weight`
      const magnitude = () => checkpoint.tensor(`${stem}${pair.magnitude}`)
      tensors.set(plain, () => folded(plain, checkpoint.tensor(original), magnitude()))
    } else if (!pairs.some(({ magnitude }) => name.endsWith(`.${magnitude}`)))
      tensors.set(name, () => checkpoint.tensor(original))
  }
  return {
    names: [...tensors.keys()],
    metadata: checkpoint.metadata,
    has: (name) => tensors.has(name),
    tensor: (name) => tensors.get(name)?.() ?? checkpoint.tensor(name),
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}

/** Parts of the checkpoint that speaking does not need: ALBERT's pooler and its list of positions. */
export const isUnneeded = (name: string): boolean => /^bert\.(pooler\.|embeddings\.position_ids$)/.test(name)

/** w = g · v / ‖v‖₂ per slice of the first axis: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html */
function folded(name: string, direction: CheckpointTensor, magnitude: CheckpointTensor): CheckpointTensor {
  const floats = (): Float32Array => {
    const v = direction.floats()
    const g = magnitude.floats()
    const width = v.length / g.length
    for (let row = 0; row < g.length; row++) {
      const slice = v.subarray(row * width, (row + 1) * width)
      const scale = g[row]! / Math.sqrt(slice.reduce((sum, x) => sum + x * x, 0))
      for (let i = 0; i < width; i++) slice[i] = slice[i]! * scale
    }
    return v
  }
  return { name, dims: direction.dims, storage: 'F32', floats, quantised: () => null }
}
