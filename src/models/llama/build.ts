/** The build half of the Llama family: a checkpoint's folder → the decoder and what the run half reads beside it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { SetupError } from '../../errors.js'
import type { FloatType, LinearForm } from '../../graph/graph.js'
import { hasInt8Matrices } from '../../graph/processor.js'
import { type EnginePlan, type PlannedGraph, type PlanOptions, refuseUnusedTensors } from '../plan.js'
import { bytesPerRow, decoderState } from './bindings.js'
import { type LlamaConfig, readLlamaConfig } from './config.js'
import { decoderGraph, type Observer } from './graph.js'
import { checkTensors } from './weights/expected.js'
import { withHuggingFaceNames } from './weights.js'

/** Weights of a layer up to which int8 is faster than nibbles with their correction: docs/cpu-forms.md. */
const SMALL_LAYER = 6e6

/**
 * The form of the linear layers that is fastest for this network on a CPU: on this one, if nobody says what it has. Every
 * form is right on every machine, so an engine that moves loses at most speed.
 * @param int8Matrices whether the CPU has a unit for products of int8 matrices
 */
export function cpuForm(
  { hidden, intermediate, heads, kvHeads, headDim }: LlamaConfig,
  int8Matrices: boolean = hasInt8Matrices(),
): LinearForm {
  const layer = hidden * (2 * (heads + kvHeads) * headDim + 3 * intermediate)
  if (layer > SMALL_LAYER) return 'int8-blocks'
  return int8Matrices ? 'int8-digits' : 'int8-bytes'
}

/** What the network computes in, and what its weights are. */
function numbers(
  { target, precision }: PlanOptions,
  config: LlamaConfig,
): { float: FloatType; linear: LinearForm } {
  if (precision === 'float32' || precision === 'bfloat16') return { float: precision, linear: 'float32' }
  if (target === 'onnxruntime') return { float: 'float32', linear: cpuForm(config) }
  return { float: 'float16', linear: precision === 'float16' ? 'float32' : precision }
}

/**
 * The most rows of a sequence on a CPU: those of the contexts of 128k that most networks have. KV_MEMORY is set when the
 * engine is long made, so its rotary tables have every row that may come: 67 MB here for heads of 128, and 537 MB for the
 * million tokens that some networks claim, whose keys and values would be tens of gigabytes.
 */
const CPU_ROWS = 2 ** 17

/** Rows of state come in such pieces on TensorRT: kernels like even numbers, and the engine is built for this one. */
const ROWS = 64
/** The most rows of a prompt that one run takes there; between two runs others are served, or a request is cancelled. */
const PREFILL_ROWS = 512

/** What the engine keeps for every sequence, and the sizes of its runs. */
function layout(
  { target, slots, stateBytes }: PlanOptions,
  config: LlamaConfig,
  float: FloatType,
): Omit<PlannedGraph, 'graph'> & { stateRows: number } {
  const state = decoderState(config)
  if (target === 'onnxruntime') return { state, stateRows: Math.min(config.context, CPU_ROWS) }
  const row = bytesPerRow(config, float === 'float32' ? 4 : 2)
  const most = Math.floor(stateBytes / slots / row)
  const stateRows = Math.floor(Math.min(config.context, most) / ROWS) * ROWS
  if (stateRows === 0)
    throw new SetupError(
      `KV_MEMORY of ${stateBytes} bytes gives each of ${slots} sequences (SLOTS) ${most} tokens of ${row} bytes, of the ${config.context} that the network knows; at least ${ROWS} are needed: raise KV_MEMORY or lower SLOTS.`,
    )
  const rows = Math.min(PREFILL_ROWS, stateRows)
  // Decoding first: the first profile decides how weights lie, and takes what both have room for.
  const profiles = [
    { name: 'decode', sizes: { batch: [1, slots, slots], rows: [1, 1, 1], wanted: [1, slots, slots] } },
    { name: 'prefill', sizes: { batch: [1, 1, 1], rows: [1, Math.min(128, rows), rows], wanted: [1, 1, 1] } },
  ] as const
  return { state, stateRows, slots, profiles }
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
  options: PlanOptions,
  { linear, observe }: { linear?: LinearForm; observe?: Observer } = {},
): EnginePlan {
  const missing = needed.filter((name) => !existsSync(join(folder, name)))
  if (missing.length > 0)
    throw new SetupError(
      `${folder} has no ${missing.join(' and no ')}: a Llama checkpoint needs it beside its weights.`,
    )
  const config = readLlamaConfig(folder)
  const weights = withHuggingFaceNames(checkpoint, config)
  checkTensors(weights, config)
  const forms = numbers(options, config)
  const around = layout(options, config, forms.float)
  const { target } = options
  const graphOptions = { weights, target, ...forms, ...(linear ? { linear } : {}) }
  const graph = decoderGraph(config, around.stateRows, graphOptions, observe)
  refuseUnusedTensors(weights, [graph], (name) => isUnneeded(name, config))
  return {
    graphs: [{ graph, ...around }],
    assets: [...needed, ...optional.filter((name) => existsSync(join(folder, name)))],
  }
}

/** Rotary tables are computed from config.json; a tied head may be stored once more; pictures are not looked at. */
function isUnneeded(name: string, { tied, modelType }: LlamaConfig): boolean {
  return (
    /^rope_(freqs|factors_long|factors_short)\.weight$/.test(name) ||
    name.endsWith('.rotary_emb.inv_freq') ||
    (tied === true && name === 'lm_head.weight') ||
    (modelType === 'gemma3_text' && /^(model\.)?(vision_tower|multi_modal_projector)\./.test(name))
  )
}
