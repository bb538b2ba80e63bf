/** Whisper's checkpoint folder to its three graphs. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { GraphOptions } from '../../graph/graph.js'
import { type EnginePlan, type PlanOptions, type Precision, refuseUnusedTensors } from '../plan.js'
import { bindings, decoderState, single } from './bindings.js'
import { readConfig } from './config.js'
import { decoderGraph } from './graph/decoder.js'
import { encoderGraph } from './graph/encoder.js'
import type { Observe } from './graph/layers.js'
import { melGraph } from './graph/mel.js'
import { profilesOf } from './profiles.js'

type Form = Required<Pick<GraphOptions, 'linear' | 'float'>>

const floats: Form = { linear: 'float32', float: 'float32' }

/**
 * What each precision makes of the graphs. On an EPYC with AVX-512 VNNI the decoder's step takes 13.3 ms of one core in
 * float32, 8.2 in digits and 7.8 in blocks, and the largest error of a logit on the goldens is 0.04 in digits and 0.4 in
 * blocks, which changes the text of one of the two long forms. The encoder gains 15 % in digits: not enough.
 * On a GPU four bits are for the decoder, which reads all its weights at every step. The encoder computes longer than it
 * reads, and four bits would move its states by a quarter: docs/tensorrt-forms.md.
 */
function forms({ target, precision }: PlanOptions): { encoder: Form; decoder: Form } {
  if (target === 'onnxruntime')
    return { encoder: floats, decoder: precision === 'int8' ? { ...floats, linear: 'int8-digits' } : floats }
  const form = tensorrtForms[precision]
  return { encoder: precision === 'int4' ? tensorrtForms.int8 : form, decoder: form }
}

const tensorrtForms: Record<Precision, Form> = {
  float32: floats,
  float16: { linear: 'float32', float: 'float16' },
  bfloat16: { linear: 'float32', float: 'bfloat16' },
  int8: { linear: 'int8', float: 'float16' },
  int4: { linear: 'int4', float: 'float16' },
  fp8: { linear: 'fp8', float: 'float16' },
}

/** Hidden states that a test build looks at, by graph. */
export interface Observers {
  readonly encoder?: Observe
  readonly decoder?: Observe
}

/**
 * On TensorRT the engine has `slots` windows, each with all the rows that a sequence can have: they are few, so that
 * `stateBytes`, which is for conversations, does not bound them.
 * @throws SetupError when the checkpoint is not Whisper's
 */
export function planWhisper(
  folder: string,
  checkpoint: Checkpoint,
  options: PlanOptions,
  observers: Observers = {},
): EnginePlan {
  const { target, slots } = options
  const config = readConfig(folder)
  const form = forms(options)
  const onGpu = target === 'tensorrt'
  const tensors = bindings(config, onGpu ? { batch: 'batch', float: form.decoder.float } : single)
  const profiles = onGpu ? profilesOf(config, slots) : { mel: [], encoder: [], decoder: [] }
  const { crossKeys, crossValues } = tensors.encoder
  const resident = [...crossKeys, ...crossValues].map(({ name }) => name)
  const common = { weights: checkpoint, target }
  const graphs = [
    // Powers of sound reach over 12 decades: no bit of the products is to spare.
    { graph: melGraph(config, tensors.mel, common), profiles: profiles.mel, tf32: false },
    {
      graph: encoderGraph(config, tensors.encoder, { ...common, ...form.encoder }, observers.encoder),
      resident,
      profiles: profiles.encoder,
      slots,
    },
    {
      graph: decoderGraph(config, tensors, { ...common, ...form.decoder }, observers.decoder),
      state: decoderState(config),
      stateRows: config.targetPositions,
      resident,
      profiles: profiles.decoder,
      slots,
    },
  ]
  // Files that keep the output projection apart repeat the embedding's table: the model ties them.
  refuseUnusedTensors(
    checkpoint,
    graphs.map(({ graph }) => graph),
    (name) => name === 'proj_out.weight',
  )
  return {
    graphs,
    assets: ['config.json', 'tokenizer.json', 'tokenizer_config.json'],
  }
}
