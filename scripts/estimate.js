#!/usr/bin/env node
/**
 * What GPUs should make of the engines, computed and not measured: bytes and FLOPs of each engine's run from the
 * checkpoints' own shapes, the roofline time on four cards, and what follows for voices and exchanges.
 * usage: node scripts/estimate.js [--checkpoints DIR] > docs/gpu-estimate.md   (after npm run build)
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../dist/checkpoint/checkpoint.js'
import { plainNames } from '../dist/models/kokoro/weights.js'
import { readLlamaConfig } from '../dist/models/llama/config.js'
import { readConfig as readWhisperConfig } from '../dist/models/whisper/config.js'
import { describe } from './estimate/report.js'
import { kokoroWork, llamaWork, whisperWork } from './estimate/work.js'

const { values } = parseArgs({
  options: {
    checkpoints: { type: 'string', default: fileURLToPath(new URL('../checkpoints', import.meta.url)) },
  },
})
const folder = (/** @type {string} */ name) => join(values.checkpoints, name)

/** Sizes of published models, from their config.json. */
const llama8b = {
  layers: 32,
  hidden: 4096,
  intermediate: 14336,
  heads: 32,
  kvHeads: 8,
  headDim: 128,
  vocabulary: 128256,
}
const turbo = {
  width: 1280,
  encoderLayers: 32,
  decoderLayers: 4,
  mels: 128,
  vocabulary: 51866,
  sourcePositions: 1500,
}

const kokoro = kokoroWork(plainNames(openCheckpoint(folder('kokoro-82m'))))
const sets = [
  {
    name: 'The embedded models',
    whisper: whisperWork('whisper-base', readWhisperConfig(folder('whisper-base'))),
    llama: llamaWork('SmolLM2-135M', readLlamaConfig(folder('smollm2-135m-instruct')), 2),
    kokoro,
  },
  {
    name: 'Larger models',
    whisper: whisperWork('whisper-large-v3-turbo', turbo),
    llama: llamaWork('Llama-3.1-8B, float16', llama8b, 2),
    kokoro,
  },
  {
    name: 'Larger models, 4-bit weights',
    whisper: whisperWork('whisper-large-v3-turbo', turbo),
    llama: llamaWork('Llama-3.1-8B, int4', llama8b, 0.5625),
    kokoro,
  },
]
process.stdout.write(describe(sets))
