/** GGUF files of the family under the names and in the row order of Hugging Face's. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { CheckpointTensor, Quantised } from '../../checkpoint/tensor.js'
import type { LlamaConfig } from './config.js'

/** llama.cpp's gguf-py/gguf/tensor_mapping.py, for this family. */
const modules: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/** The checkpoint itself, or a view of it with Hugging Face's names if it is a GGUF. Unknown names stay. */
export function withHuggingFaceNames(checkpoint: Checkpoint, config: LlamaConfig): Checkpoint {
  const architecture = checkpoint.metadata.get('general.architecture')
  if (architecture === undefined) return checkpoint
  const stored = new Map(checkpoint.names.map((name) => [huggingFaceName(name), name]))
  const tensor = (name: string): CheckpointTensor => {
    const found = checkpoint.tensor(stored.get(name) ?? name)
    const heads = architecture === 'llama' ? permutedHeads(name, config) : 0
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

function huggingFaceName(name: string): string {
  const parts = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(name)
  const module = parts && modules[parts[2]!]
  if (!module) return name
  return `${parts[1] === undefined ? '' : `model.layers.${parts[1]}.`}${module}.${parts[3]}`
}

/** Files of the architecture `llama` (not those of Qwen) have query and key rows ordered for neighbouring pairs. */
function permutedHeads(name: string, { heads, kvHeads }: LlamaConfig): number {
  if (/\.self_attn\.q_proj\.(weight|bias)$/.test(name)) return heads
  return /\.self_attn\.k_proj\.(weight|bias)$/.test(name) ? kvHeads : 0
}

/** Undoes it: within each head, half-split row half·j + i is the file's row 2·i + j. Blocks move with their rows. */
class HalfSplitRows implements CheckpointTensor {
  constructor(tensor: CheckpointTensor, heads: number) {
    this.name = tensor.name
    this.dims = tensor.dims
    this.storage = tensor.storage
    this.#tensor = tensor
    this.#heads = heads
  }
  readonly name: string
  readonly dims: readonly number[]
  readonly storage: string
  readonly #tensor: CheckpointTensor
  readonly #heads: number

  floats(): Float32Array {
    return this.#reordered(this.#tensor.floats())
  }

  quantised(): Quantised | null {
    const numbers = this.#tensor.quantised()
    if (numbers?.form !== 'blocks') return null
    return {
      ...numbers,
      values: this.#reordered(numbers.values),
      scale: this.#reordered(numbers.scale),
      min: numbers.min && this.#reordered(numbers.min),
      zero: numbers.zero && this.#reordered(numbers.zero),
    }
  }

  #reordered<T extends Float32Array | Uint8Array | Int8Array>(values: T): T {
    const rows = this.dims[0]!
    const width = values.length / rows
    const half = rows / this.#heads / 2
    const result = values.slice() as T
    for (let row = 0; row < rows; row++) {
      const [head, within] = [Math.floor(row / (2 * half)), row % (2 * half)]
      const from = head * 2 * half + 2 * (within % half) + Math.floor(within / half)
      result.set(values.subarray(from * width, (from + 1) * width), row * width)
    }
    return result
  }
}
