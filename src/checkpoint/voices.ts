import { RangeFile } from './file.js'

/** Style rows of a Kokoro voice, one per number of phonemes, and the values of a row. */
export const voiceDims = [510, 1, 256] as const
const voiceBytes = 510 * 256 * 4

/**
 * A voice: raw little-endian float32 [510, 1, 256], row-major; row n is for n + 1 phonemes.
 * @throws SetupError when the file is missing or has another size.
 */
export function readVoice(path: string): Float32Array {
  using file = new RangeFile(path)
  if (file.size !== voiceBytes)
    throw file.damaged(
      `has ${file.size} bytes, a voice (float32 [${voiceDims.join(', ')}]) has ${voiceBytes}`,
    )
  return new Float32Array(file.read(0, voiceBytes).buffer)
}
