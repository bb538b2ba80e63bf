/** Kokoro's build half: checkpoint → three graphs. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import type { FloatType } from '../../graph/graph.js'
import type { Profile } from '../../runtime/session.js'
import { type EnginePlan, type PlannedGraph, type PlanOptions, refuseUnusedTensors } from '../plan.js'
import { type KokoroConfig, readConfig } from './config.js'
import { prosodyGraph } from './graph/prosody.js'
import { textGraph } from './graph/text.js'
import { vocoderGraph } from './graph/vocoder.js'
import { mostFrames, mostPhonemes } from './limits.js'
import { isUnneeded, plainNames } from './weights.js'

/**
 * On ONNX Runtime both precisions are the same float32 graphs. The convolutions are three quarters of the time, and
 * int8 with two digits, which keeps the sound, does not pay without AMX: measured with AVX-512 VNNI (AMD EPYC, 2
 * threads), products of int8 run at 550 Gop/s, half of that for two digits, which have to be made first, and float32
 * convolutions at 225 GFLOP/s. One digit is audible.
 *
 * On TensorRT the vocoder, 19 of 20 multiplications, computes in the precision asked for; text and prosody are always
 * float32, because in float16 some ids get a frame more or less than in the reference, and the time there goes into the
 * steps of LSTMs. Nearly all weights are convolutions': int8, int4 and fp8, which are for linear layers, mean float16.
 */
export function planKokoro(
  folder: string,
  checkpoint: Checkpoint,
  { target, precision }: PlanOptions,
): EnginePlan {
  const config = readConfig(folder)
  const weights = plainNames(checkpoint)
  const text = textGraph(config, { weights, target })
  const prosody = prosodyGraph(config, { weights, target })
  const float = target === 'onnxruntime' ? 'float32' : floatOf(precision)
  const vocoder = vocoderGraph(config, { weights, target, float })
  refuseUnusedTensors(weights, [text, prosody, vocoder], isUnneeded)

  const { byIds, byFrames } = profiles(config)
  const onTensorRt: readonly PlannedGraph[] = [
    { graph: text, profiles: byIds, tf32: false },
    { graph: prosody, profiles: byFrames, tf32: false },
    { graph: vocoder, profiles: byFrames, tf32: false },
  ]
  return {
    graphs: target === 'tensorrt' ? onTensorRt : onTensorRt.map(({ graph }) => ({ graph })),
    assets: ['config.json', 'voices', 'lexicon'],
  }
}

const floatOf = (precision: PlanOptions['precision']): FloatType =>
  precision === 'float32' || precision === 'bfloat16' ? precision : 'float16'

/** Frames [least, likeliest, most] of a clause, of a sentence, and of slow or strange speech. */
const frameRanges = {
  short: [2, 100, 160],
  middle: [161, 320, 480],
  long: [481, 640, mostFrames],
} as const

/** Sizes of runs, so that every piece of speech finds room. Begin and end are ids too, and each id has a frame. */
function profiles({ frameSamples, maxIds }: KokoroConfig): Record<'byIds' | 'byFrames', readonly Profile[]> {
  const mostIds = Math.min(mostPhonemes + 2, maxIds)
  const times = ([least, likeliest, most]: readonly [number, number, number], n: number) =>
    [least * n, likeliest * n, most * n] as const
  return {
    byIds: [
      { name: 'short', sizes: { ids: [2, 40, 64] } },
      { name: 'long', sizes: { ids: [65, 120, mostIds] } },
    ],
    byFrames: Object.entries(frameRanges).map(([name, frames]) => ({
      name,
      sizes: {
        ids: [2, Math.min(Math.round(frames[1] / 2.5), mostIds), mostIds],
        frames,
        steps: times(frames, 2),
        samples: times(frames, frameSamples),
      },
    })),
  }
}
