/** Bytes and FLOPs of one run of each engine. A product of [M, K] and [K, N] is 2·M·K·N FLOPs; halves are 2 bytes. */

/**
 * @typedef {object} Work
 * @property {string} name
 * @property {number} bytes read and written in device memory
 * @property {number} flops
 * @property {number} kernels launched, estimated as fused operators
 * @typedef {Pick<import('../../dist/models/whisper/config.js').WhisperConfig,
 *   'width' | 'encoderLayers' | 'decoderLayers' | 'mels' | 'vocabulary' | 'sourcePositions'>} WhisperSizes
 * @typedef {Pick<import('../../dist/models/llama/config.js').LlamaConfig,
 *   'layers' | 'hidden' | 'intermediate' | 'heads' | 'kvHeads' | 'headDim' | 'vocabulary'>} LlamaSizes
 */

const HALF = 2

/** @param {string} name @param {WhisperSizes} sizes */
export function whisperWork(name, sizes) {
  const { width: d, encoderLayers, decoderLayers, mels, vocabulary, sourcePositions: T } = sizes
  const stem = 3 * mels * d * 2 * T + 3 * d * d * T
  // attention's four matrices and the feed-forward's two of fourfold width
  const layer = 12 * d * d
  const encoderWeights = 3 * d * (mels + d) + encoderLayers * layer + decoderLayers * 2 * d * d
  const crossRows = decoderLayers * 2 * T * d
  // without the keys and values of the window, which the encoder has made
  const stepWeights = decoderLayers * 14 * d * d + vocabulary * d
  return {
    name,
    weightBytes: HALF * (encoderWeights + stepWeights + decoderLayers * 2 * d * d),
    /** A window of 30 s. @type {Work} */
    encoder: {
      name: 'encoder, 30 s',
      flops: 2 * stem + 2 * encoderLayers * (layer * T + 2 * T * T * d) + 2 * crossRows * d,
      bytes: HALF * (encoderWeights + crossRows + encoderLayers * 16 * T * d),
      kernels: 12 * encoderLayers + 8,
    },
    /** @param {number} batch @returns {Work} */
    step: (batch) => ({
      name: `decoder step, batch ${batch}`,
      flops: 2 * batch * (stepWeights + 2 * crossRows),
      bytes: HALF * (stepWeights + batch * crossRows),
      kernels: 16 * decoderLayers + 6,
    }),
  }
}

/** @param {string} name @param {LlamaSizes} sizes @param {number} weightBytes per weight of the linear layers */
export function llamaWork(name, sizes, weightBytes) {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocabulary } = sizes
  const layer = hidden * headDim * (2 * heads + 2 * kvHeads) + 3 * hidden * intermediate
  const head = vocabulary * hidden
  const row = HALF * layers * 2 * kvHeads * headDim
  return {
    name,
    weightBytes: weightBytes * layers * layer + HALF * head,
    rowBytes: row,
    /** @param {number} rows @returns {Work} */
    prefill: (rows) => ({
      name: `prefill of ${rows}`,
      flops: 2 * rows * layers * layer + 2 * head + 2 * layers * heads * headDim * rows * rows,
      bytes: weightBytes * layers * layer + HALF * head + rows * row + HALF * rows * layers * 10 * hidden,
      kernels: 12 * layers + 8,
    }),
    /** One token of each sequence behind `past` others. @param {number} batch @param {number} past @returns {Work} */
    step: (batch, past) => ({
      name: `decode step, batch ${batch}, ${past} tokens before`,
      flops: 2 * batch * (layers * layer + head) + 4 * batch * layers * heads * headDim * past,
      bytes: weightBytes * layers * layer + HALF * head + batch * past * row,
      kernels: 12 * layers + 8,
    }),
  }
}

/** How often each convolution's kernel is applied per frame of 25 ms (40 a second); the first that matches counts. */
const rates = /** @type {const} */ ([
  [/^decoder\.generator\.(noise_convs|noise_res)\.0\.|^decoder\.generator\.resblocks\.[0-2]\./, 20],
  [/^decoder\.generator\.ups\.0\./, 2],
  [/^decoder\.generator\.ups\.1\./, 20],
  [/^decoder\.generator\./, 120],
  [/^decoder\.decode\.3\.conv[12]\./, 2],
  [/^decoder\./, 1],
  [/^predictor\.(F0|N)\.(1\.conv[12]|2)\.|^predictor\.(F0|N)_proj/, 2],
  [/^predictor\.(F0|N)\.|^predictor\.shared/, 1],
])
const FRAMES_PER_SECOND = 40
/** English speech: ids of a sentence per second of sound. */
const IDS_PER_SECOND = 14
const BERT_LAYERS = 12

/** @param {import('../../dist/checkpoint/checkpoint.js').Checkpoint} checkpoint */
export function kokoroWork(checkpoint) {
  let weights = 0
  let perFrame = 0
  let perId = 0
  /** Values that pass between kernels, per frame. */
  let signal = 0
  for (const name of checkpoint.names) {
    const { dims } = checkpoint.tensor(name)
    const size = dims.reduce((a, b) => a * b, 1)
    weights += size
    if (dims.length < 2 || /norm\d\.fc|adain|embeddings|embedding\.weight|pooler|alpha/.test(name)) continue
    const rate = rates.find(([pattern]) => pattern.test(name))?.[1]
    if (rate === undefined) perId += size * (name.startsWith('bert.encoder.albert_layer') ? BERT_LAYERS : 1)
    else {
      perFrame += rate * size
      // read by the normalisation twice and written once, by the activation and the convolution both
      if (dims.length === 3) signal += rate * (dims[0] ?? 0) * 7
    }
  }
  return {
    name: 'Kokoro-82M',
    weightBytes: HALF * weights,
    /** @param {number} seconds @returns {Work} */
    sentence: (seconds) => ({
      name: `${seconds} s of speech`,
      flops: 2 * seconds * (FRAMES_PER_SECOND * perFrame + IDS_PER_SECOND * perId),
      bytes: HALF * (weights + seconds * FRAMES_PER_SECOND * signal),
      // the recurrent layers run step by step: six over the ids or frames, both directions at once, two kernels a step
      kernels: 900 + 2 * seconds * (5 * IDS_PER_SECOND + FRAMES_PER_SECOND),
    }),
  }
}
