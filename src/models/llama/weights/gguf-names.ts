/** The names of llama.cpp's GGUF files (gguf-py/gguf/tensor_mapping.py), and whose rows they reorder. */
import type { LlamaConfig } from '../config.js'

const modules: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_qkv: 'self_attn.qkv_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/** Where an architecture calls something else by the same name, or has more. */
const own: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  phi3: { ffn_up: 'mlp.gate_up_proj' },
  gemma2: gemmaNorms(),
  gemma3: gemmaNorms(),
}

function gemmaNorms() {
  return {
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  }
}

/** A name of a file of `architecture` (`general.architecture`) as Hugging Face's; unknown ones stay. */
export function huggingFaceName(name: string, architecture: string): string {
  const parts = /^(?:blk\.(\d+)\.)?([a-z_]+)\.(weight|bias)$/.exec(name)
  const module = parts && (own[architecture]?.[parts[2]!] ?? modules[parts[2]!])
  if (!module) return name
  return `${parts[1] === undefined ? '' : `model.layers.${parts[1]}.`}${module}.${parts[3]}`
}

/** Architectures whose query and key rows are ordered for neighbouring pairs; Mistral's files are of `llama`, too. */
const permuted = new Set(['llama', 'smollm3'])

/** How many heads' rows are reordered in the tensor that Hugging Face calls `name`; 0: it is as there. */
export function permutedHeads(architecture: string, name: string, { heads, kvHeads }: LlamaConfig): number {
  if (!permuted.has(architecture)) return 0
  if (/\.self_attn\.q_proj\.(weight|bias)$/.test(name)) return heads
  return /\.self_attn\.k_proj\.(weight|bias)$/.test(name) ? kvHeads : 0
}
