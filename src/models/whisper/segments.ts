/** A stretch of a window between two timestamps; times in frames of 10 ms from the recording's begin. */
export interface Piece {
  readonly startFrame: number
  readonly endFrame: number
  readonly tokens: readonly number[]
}

/** One timestamp step of 0.02 s in frames. */
const FRAMES_PER_STEP = 2

/**
 * Cuts a window's tokens where two timestamps meet, and says how far to go on. What stands behind the last such pair is
 * heard again by the next window, unless the tokens end with a single timestamp: then nothing is spoken after it, and
 * the whole window is done. Without any pair the window is one piece and done.
 * openai/whisper, transcribe.py.
 * @param frames of content that the window has
 */
export function cutWindow(
  tokens: readonly number[],
  { seek, frames, firstTimestamp }: { seek: number; frames: number; firstTimestamp: number },
): { pieces: Piece[]; advance: number } {
  const isTimestamp = (at: number) => at >= 0 && tokens[at]! >= firstTimestamp
  const framesOf = (token: number) => (token - firstTimestamp) * FRAMES_PER_STEP
  const end = tokens.length
  const cuts = tokens.flatMap((_, at) => (isTimestamp(at - 1) && isTimestamp(at) ? [at] : []))
  const finished = end > 1 && isTimestamp(end - 1) && !isTimestamp(end - 2)

  if (cuts.length === 0) {
    const last = tokens.findLast((token) => token >= firstTimestamp)
    const length = last === undefined || last === firstTimestamp ? frames : framesOf(last)
    return { pieces: [{ startFrame: seek, endFrame: seek + length, tokens }], advance: frames }
  }
  if (finished) cuts.push(end)
  const pieces = cuts.map((cut, i) => {
    const piece = tokens.slice(cuts[i - 1] ?? 0, cut)
    return {
      startFrame: seek + framesOf(piece[0]!),
      endFrame: seek + framesOf(piece.at(-1)!),
      tokens: piece,
    }
  })
  return { pieces, advance: finished ? frames : framesOf(tokens[cuts.at(-1)! - 1]!) }
}
