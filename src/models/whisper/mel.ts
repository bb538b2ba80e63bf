/** A recording as the windows of log-mel that the encoder takes. */
import { ServiceError } from '../../errors.js'
import { type Feeds, float32, type HostTensor, int64, type Session } from '../../runtime/session.js'
import { HOP, WINDOW } from './bindings.js'
import { type WhisperConfig, windowFrames } from './config.js'

/** log10 of the smallest mel power, which is that of silence. */
const SILENCE = -10
/** Values further below the recording's loudest than this are raised, in log10: 80 dB. */
const RANGE = 8

/**
 * Log-mel is made of one window at a time and never kept: the whole recording is only gone through once, for its
 * loudest value, so that memory does not grow with its length.
 */
export class Recording {
  /** Frames of 10 ms that the windows cover. */
  readonly frames: number
  readonly #windowFrames: number
  #floor = SILENCE

  private constructor(
    private readonly session: Session,
    config: WhisperConfig,
    /** 16 kHz, mono. */
    private readonly audio: Float32Array,
  ) {
    this.frames = Math.floor(audio.length / HOP)
    this.#windowFrames = windowFrames(config)
  }

  /** @throws ServiceError when the audio has samples that are not finite. */
  static async open(
    session: Session,
    config: WhisperConfig,
    audio: Float32Array,
    signal: AbortSignal,
  ): Promise<Recording> {
    const recording = new Recording(session, config, audio)
    await recording.#measure(signal)
    return recording
  }

  /**
   * The window from frame `seek` on: how many of its frames are content, and the encoder's feeds, or null where nothing
   * in it is above the floor. (The reference decodes such windows, and tends to hear a word in digital silence.)
   */
  async window(seek: number): Promise<{ frames: number; feeds: Feeds | null }> {
    const frames = Math.min(this.#windowFrames, this.frames - seek)
    const log_mel = await this.#logMel(seek, this.#windowFrames)
    if (loudest(log_mel) <= Math.max(this.#floor, SILENCE)) return { frames, feeds: null }
    const floor = float32(Float32Array.of(this.#floor), [1])
    return { frames, feeds: { log_mel, floor, frames: int64([frames]) } }
  }

  /** Finds the loudest value of all frames that touch the audio. */
  async #measure(signal: AbortSignal): Promise<void> {
    const end = Math.ceil((this.audio.length + WINDOW / 2) / HOP)
    let top = SILENCE
    for (let frame = 0; frame < end; frame += this.#windowFrames) {
      signal.throwIfAborted()
      top = Math.max(top, loudest(await this.#logMel(frame, Math.min(this.#windowFrames, end - frame))))
    }
    if (!Number.isFinite(top))
      throw new ServiceError(
        'invalid_audio',
        'The recording has samples that are not finite numbers.',
        'audio',
      )
    this.#floor = top - RANGE
  }

  async #logMel(firstFrame: number, frames: number): Promise<HostTensor> {
    const samples = WINDOW + HOP * (frames - 1)
    const stretch = this.#stretch(firstFrame * HOP - WINDOW / 2, samples)
    const { log_mel } = await this.session.run({ audio: float32(stretch, [1, samples]) })
    return log_mel!
  }

  /** Samples from `start` on: reflected before the recording's begin, zero after its end. */
  #stretch(start: number, length: number): Float32Array {
    const stretch = new Float32Array(length)
    const from = Math.max(start, 0)
    stretch.set(this.audio.subarray(from, start + length), from - start)
    for (let i = 0; start + i < 0; i++) stretch[i] = this.audio[-(start + i)] ?? 0
    return stretch
  }
}

/** The largest value; NaN if there is one, as Math.max hands it on. */
function loudest({ data }: HostTensor): number {
  let top = -Infinity
  for (const value of data as Float32Array) top = Math.max(top, value)
  return top
}
