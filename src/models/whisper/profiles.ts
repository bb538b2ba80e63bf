/** The sizes that the engines of a GPU are built for. */
import type { Profile } from '../../runtime/session.js'
import { HOP, WINDOW } from './bindings.js'
import { type WhisperConfig, windowFrames } from './config.js'

/** Rows whose logits a sequence asks for at once: those of the start of transcript and of the last token. */
const WANTED = 2
/** Tokens of a prompt beside the text before: its mark, start of transcript, language, task, no timestamps. */
const MARKS = 5

/** Of the graphs for up to `slots` windows at once. */
export function profilesOf(
  config: WhisperConfig,
  slots: number,
): Record<'mel' | 'encoder' | 'decoder', Profile[]> {
  const batch = [1, slots, slots] as const
  const samples = (frames: number) => WINDOW + HOP * (frames - 1)
  const window = samples(windowFrames(config))
  // Half of the positions are the transcript's, and the text before is one shorter than the other half.
  const prompt = Math.floor(config.targetPositions / 2) - 1 + MARKS
  return {
    // The last stretch of a recording that is measured may have a single frame.
    mel: [{ name: 'window', sizes: { batch, samples: [samples(1), window, window] } }],
    encoder: [{ name: 'window', sizes: { batch } }],
    decoder: [
      { name: 'decode', sizes: { batch, rows: [1, 1, 1], wanted: batch } },
      {
        name: 'prefill',
        sizes: { batch, rows: [1, prompt, prompt], wanted: [1, WANTED * slots, WANTED * slots] },
      },
    ],
  }
}
