/** The tensors at the borders of the three graphs: names, types, dimensions, state. */
import type { Binding, DType, StateTensor } from '../../runtime/session.js'
import { type WhisperConfig, windowFrames } from './config.js'

/** Samples of an analysis window and between two of them, at 16 kHz. */
export const WINDOW = 400
export const HOP = 160
export const SAMPLE_RATE = 16000

const tensor = (name: string, dtype: DType, ...dims: (number | string)[]): Binding => ({ name, dtype, dims })

/** How an engine is laid out: for one window a run or a batch of them, and the type in which it keeps what stays. */
export interface Layout {
  readonly batch: 1 | 'batch'
  readonly float: DType
}
/** ONNX Runtime's: one window a run, and all in float32. */
export const single: Layout = { batch: 1, float: 'float32' }

export function bindings(config: WhisperConfig, { batch, float }: Layout) {
  const { mels, sourcePositions, vocabulary, decoderLayers, decoderHeads: heads } = config
  const width = config.width / config.decoderHeads
  const perLayer = <T>(make: (layer: number) => T): T[] =>
    Array.from({ length: decoderLayers }, (_, i) => make(i))
  return {
    batch,
    mel: {
      /** [batch, 400 + 160 · (frames − 1)]: frame t is made of the samples 160t … 160t + 399. */
      audio: tensor('audio', 'float32', batch, 'samples'),
      /** log10 of the mel power, at least −10, not clamped to the recording's loudest. */
      logMel: tensor('log_mel', 'float32', batch, mels, 'frames'),
    },
    encoder: {
      logMel: tensor('log_mel', 'float32', batch, mels, windowFrames(config)),
      /** Values below are raised to it: the loudest of the whole recording − 8. */
      floor: tensor('floor', 'float32', batch),
      /** Frames from here on are padding: 0.0 after normalisation, whatever `log_mel` holds there. */
      frames: tensor('frames', 'int64', batch),
      crossKeys: perLayer((i) => tensor(`cross_k.${i}`, float, batch, heads, sourcePositions, width)),
      crossValues: perLayer((i) => tensor(`cross_v.${i}`, float, batch, heads, sourcePositions, width)),
    },
    decoder: {
      tokens: tensor('tokens', 'int64', batch, 'rows'),
      /** Rows of self-attention state that count; the positions of `tokens` continue them. */
      pastLength: tensor('past_length', 'int64', batch),
      /** Indices into all of `tokens`, sequence after sequence, of the rows whose logits are wanted. */
      logitRows: tensor('logit_rows', 'int64', 'wanted'),
      logits: tensor('logits', 'float32', 'wanted', vocabulary),
    },
  }
}

export type Bindings = ReturnType<typeof bindings>

/** The decoder's self-attention keys and values, layer by layer. */
export function decoderState({ decoderLayers, decoderHeads: heads, width }: WhisperConfig): StateTensor[] {
  return Array.from({ length: decoderLayers }, (_, i) => i).flatMap((i) =>
    ['k', 'v'].map((kind) => ({
      past: `past_${kind}.${i}`,
      fresh: `fresh_${kind}.${i}`,
      heads,
      width: width / heads,
    })),
  )
}
