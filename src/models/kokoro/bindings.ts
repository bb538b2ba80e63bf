/** The three graphs' borders: names, types, shapes. N ids, F frames of 25 ms, 2F steps of F0 and energy. */
import type { Binding } from '../../runtime/session.js'
import type { KokoroConfig } from './config.js'

export const graphNames = { text: 'text', prosody: 'prosody', vocoder: 'vocoder' } as const

export interface KokoroBindings {
  /** Begin, phonemes, end. */
  readonly ids: Binding
  /** The second half of a voice's row. */
  readonly prosodyStyle: Binding
  /** The first half of a voice's row. */
  readonly decoderStyle: Binding
  /** Frames per id at speed 1, before rounding. */
  readonly durations: Binding
  /** What prosody is made from: the duration encoder's output, the style beside it. */
  readonly features: Binding
  /** What sound is made from: the text encoder's output. */
  readonly encoded: Binding
  /** Which id each frame speaks. */
  readonly index: Binding
  /** Hz; below 10 is unvoiced. */
  readonly f0: Binding
  readonly energy: Binding
  /** N(0, 1), or zero. */
  readonly noise: Binding
  /** −1 … 1, but for rare peaks. */
  readonly audio: Binding
}

export function bindings(config: KokoroConfig): KokoroBindings {
  const { hidden, style } = config
  const float32 = (name: string, dims: readonly (number | string)[]): Binding => ({
    name,
    dtype: 'float32',
    dims,
  })
  return {
    ids: { name: 'ids', dtype: 'int64', dims: [1, 'ids'] },
    prosodyStyle: float32('style', [1, style]),
    decoderStyle: float32('style', [1, style]),
    durations: float32('durations', [1, 'ids']),
    features: float32('features', [1, 'ids', hidden + style]),
    encoded: float32('encoded', [1, hidden, 'ids']),
    index: { name: 'index', dtype: 'int64', dims: ['frames'] },
    f0: float32('f0', [1, 'steps']),
    energy: float32('energy', [1, 'steps']),
    noise: float32('noise', [1, 'samples']),
    audio: float32('audio', [1, 'samples']),
  }
}
