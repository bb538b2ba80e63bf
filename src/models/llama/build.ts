/** The build half of the Llama family: a checkpoint's folder → the decoder and what the run half reads beside it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { SetupError } from '../../errors.js'
import type { LinearForm } from '../../graph/graph.js'
import { type EnginePlan, type PlanOptions, type Precision, refuseUnusedTensors } from '../plan.js'
import { decoderState } from './bindings.js'
import { type LlamaConfig, readLlamaConfig } from './config.js'
import { decoderGraph, type Observer } from './graph.js'
import { withHuggingFaceNames } from './weights.js'

/** Weights of a layer up to which bytes are faster than nibbles with their correction: docs/cpu-forms.md. */
const SMALL_LAYER = 6e6

/** The form of the linear layers that is fastest for this network on a CPU. */
export function linearForm(precision: Precision, config: LlamaConfig): LinearForm {
  if (precision === 'float32') return 'float32'
  const { hidden, intermediate, heads, kvHeads, headDim } = config
  const layer = hidden * (2 * (heads + kvHeads) * headDim + 3 * intermediate)
  return layer <= SMALL_LAYER ? 'int8-bytes' : 'int8-blocks'
}

const needed = ['config.json', 'tokenizer.json', 'tokenizer_config.json']
const optional = ['generation_config.json', 'chat_template.jinja', 'special_tokens_map.json']

/**
 * Plans the engine of a Hugging Face style folder: `config.json` and the tokenizer's files beside the weights, which
 * may be safetensors or a GGUF.
 * @throws SetupError when a file is missing or the network is another one
 */
export function planLlama(
  folder: string,
  checkpoint: Checkpoint,
  { precision }: PlanOptions,
  { linear, observe }: { linear?: LinearForm; observe?: Observer } = {},
): EnginePlan {
  const missing = needed.filter((name) => !existsSync(join(folder, name)))
  if (missing.length > 0)
    throw new SetupError(
      `${folder} has no ${missing.join(' and no ')}: a Llama checkpoint needs it beside its weights.`,
    )
  const config = readLlamaConfig(folder)
  const weights = withHuggingFaceNames(checkpoint, config)
  checkBiases(weights, config)
  const form = linear ?? linearForm(precision, config)
  const graph = decoderGraph(config, { weights, linear: form }, observe)
  refuseUnusedTensors(weights, [graph], (name) => isUnneeded(name, config))
  return {
    graphs: [{ graph, state: decoderState(config), stateRows: config.context }],
    assets: [...needed, ...optional.filter((name) => existsSync(join(folder, name)))],
  }
}

/** Rotary tables are computed from config.json; a tied head may be stored once more. */
function isUnneeded(name: string, { tied }: LlamaConfig): boolean {
  return (
    name === 'rope_freqs.weight' ||
    name.endsWith('.rotary_emb.inv_freq') ||
    (tied === true && name === 'lm_head.weight')
  )
}

/** A bias that config.json does not announce, or announces in vain, is a sign of another network. */
function checkBiases(weights: Checkpoint, { layers, biases }: LlamaConfig): void {
  const expected = {
    'self_attn.q_proj': biases.qkv,
    'self_attn.k_proj': biases.qkv,
    'self_attn.v_proj': biases.qkv,
    'self_attn.o_proj': biases.output,
    'mlp.gate_proj': biases.mlp,
    'mlp.up_proj': biases.mlp,
    'mlp.down_proj': biases.mlp,
  }
  for (let layer = 0; layer < layers; layer++)
    for (const [module, wanted] of Object.entries(expected)) {
      const name = `model.layers.${layer}.${module}.bias`
      if (weights.has(name) === wanted) continue
      throw new SetupError(
        `The checkpoint ${wanted ? 'lacks' : 'has'} ${name}, but config.json says ${wanted ? 'there are' : 'there are no'} such biases.`,
      )
    }
}
