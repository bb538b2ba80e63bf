/** The sizes of a Whisper checkpoint, from the `config.json` of its Hugging Face folder. */
import { join } from 'node:path'
import { SetupError } from '../../errors.js'
import { readJsonObject } from '../../text/json-file.js'

export interface WhisperConfig {
  /** Width of the residual stream. */
  readonly width: number
  readonly encoderLayers: number
  readonly encoderHeads: number
  readonly decoderLayers: number
  readonly decoderHeads: number
  /** Mel bins: 80, or 128 from large-v3 on. */
  readonly mels: number
  readonly vocabulary: number
  /** Encoder positions of a window, 20 ms each: 1500. */
  readonly sourcePositions: number
  /** The most tokens a decoder sequence can have, prompt included: 448. */
  readonly targetPositions: number
}

/** Mel frames of a window, 10 ms each: the encoder's second convolution halves them. */
export const windowFrames = (config: WhisperConfig): number => 2 * config.sourcePositions

/**
 * Reads `<folder>/config.json`.
 * @throws SetupError when it is not Whisper's, a size is missing, or it asks for maths that the graphs do not have.
 */
export function readConfig(folder: string): WhisperConfig {
  const path = join(folder, 'config.json')
  const json = readJsonObject(folder, 'config.json')
  const size = (key: string): number => {
    const value = json[key]
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
    throw new SetupError(`${path} has ${key} = ${JSON.stringify(value)}: a positive integer is needed.`)
  }
  // Keys that change the network, with the only values it implements; absent means the first.
  const fixed: Record<string, unknown> = {
    model_type: 'whisper',
    activation_function: 'gelu',
    scale_embedding: false,
    tie_word_embeddings: true,
    use_weighted_layer_sum: false,
  }
  for (const [key, only] of Object.entries(fixed))
    if ((json[key] ?? only) !== only)
      throw new SetupError(
        `${path} has ${key} = ${JSON.stringify(json[key])}: only ${JSON.stringify(only)} is implemented.`,
      )

  const config: WhisperConfig = {
    width: size('d_model'),
    encoderLayers: size('encoder_layers'),
    encoderHeads: size('encoder_attention_heads'),
    decoderLayers: size('decoder_layers'),
    decoderHeads: size('decoder_attention_heads'),
    mels: size('num_mel_bins'),
    vocabulary: size('vocab_size'),
    sourcePositions: size('max_source_positions'),
    targetPositions: size('max_target_positions'),
  }
  for (const heads of [config.encoderHeads, config.decoderHeads])
    if (config.width % heads !== 0)
      throw new SetupError(
        `${path} has d_model = ${config.width} and ${heads} attention heads: they must divide it.`,
      )
  return config
}
