/** Whisper's checkpoint folder to its three graphs. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { LinearForm } from '../../graph/graph.js'
import { type CpuPrecision, type EnginePlan, type PlanOptions, refuseUnusedTensors } from '../plan.js'
import { bindings, decoderState } from './bindings.js'
import { readConfig } from './config.js'
import { decoderGraph } from './graph/decoder.js'
import { encoderGraph } from './graph/encoder.js'
import type { Observe } from './graph/layers.js'
import { melGraph } from './graph/mel.js'

/**
 * The linear forms of each precision. On an EPYC with AVX-512 VNNI the decoder's step takes 13.3 ms of one core in
 * float32, 8.2 in digits and 7.8 in blocks, and the largest error of a logit on the goldens is 0.04 in digits and 0.4 in
 * blocks, which changes the text of one of the two long forms. The encoder gains 15 % in digits: not enough.
 */
export const forms: Record<CpuPrecision, { encoder: LinearForm; decoder: LinearForm }> = {
  float32: { encoder: 'float32', decoder: 'float32' },
  int8: { encoder: 'float32', decoder: 'int8-digits' },
}

/** Hidden states that a test build looks at, by graph. */
export interface Observers {
  readonly encoder?: Observe
  readonly decoder?: Observe
}

export function planWhisper(
  folder: string,
  checkpoint: Checkpoint,
  { precision }: PlanOptions,
  observers: Observers = {},
): EnginePlan {
  const config = readConfig(folder)
  const { encoder, decoder } = forms[precision === 'float32' ? 'float32' : 'int8']
  const { crossKeys, crossValues } = bindings(config).encoder
  const resident = [...crossKeys, ...crossValues].map(({ name }) => name)
  const graphs = [
    { graph: melGraph(config, checkpoint) },
    { graph: encoderGraph(config, checkpoint, encoder, observers.encoder), resident },
    {
      graph: decoderGraph(config, checkpoint, decoder, observers.decoder),
      state: decoderState(config),
      stateRows: config.targetPositions,
      resident,
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
