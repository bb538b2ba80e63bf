/** Kokoro's build half: checkpoint → three graphs. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { type EnginePlan, type PlanOptions, refuseUnusedTensors } from '../plan.js'
import { readConfig } from './config.js'
import { prosodyGraph } from './graph/prosody.js'
import { textGraph } from './graph/text.js'
import { vocoderGraph } from './graph/vocoder.js'
import { isUnneeded, plainNames } from './weights.js'

/**
 * Both precisions are the same float32 graphs. The convolutions are three quarters of the time, and int8 with two
 * digits, which keeps the sound, does not pay without AMX: measured with AVX-512 VNNI (AMD EPYC, 2 threads), products
 * of int8 run at 550 Gop/s, half of that for two digits, which have to be made first, and float32 convolutions at
 * 225 GFLOP/s. One digit is audible.
 */
export function planKokoro(folder: string, checkpoint: Checkpoint, _options: PlanOptions): EnginePlan {
  const config = readConfig(folder)
  const weights = plainNames(checkpoint)
  const options = { weights }
  const graphs = [textGraph(config, options), prosodyGraph(config, options), vocoderGraph(config, options)]
  refuseUnusedTensors(weights, graphs, isUnneeded)
  return { graphs: graphs.map((graph) => ({ graph })), assets: ['config.json', 'voices', 'lexicon'] }
}
