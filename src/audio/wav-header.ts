/** The 44 bytes in front of the samples of a plain WAV file: RIFF, a 16-byte `fmt ` chunk, and the head of `data`. */

export const wavHeaderBytes = 44
/** Where the sizes of the file and of its samples stand. */
export const riffSizeAt = 4
export const dataSizeAt = 40

export interface WavShape {
  readonly format: 'pcm' | 'float'
  readonly bitsPerSample: number
  readonly channels: number
  /** In Hz. */
  readonly sampleRate: number
}

/**
 * Writes the header at the start of `file`; everything behind it counts as samples.
 * @param file at least 44 bytes
 */
export function writeWavHeader(file: ArrayBuffer, shape: WavShape): void {
  const view = new DataView(file)
  const text = (at: number, id: string): void => {
    for (let i = 0; i < id.length; i++) view.setUint8(at + i, id.charCodeAt(i))
  }
  const blockAlign = (shape.channels * shape.bitsPerSample) / 8
  text(0, 'RIFF')
  view.setUint32(riffSizeAt, file.byteLength - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, shape.format === 'pcm' ? 1 : 3, true)
  view.setUint16(22, shape.channels, true)
  view.setUint32(24, shape.sampleRate, true)
  view.setUint32(28, shape.sampleRate * blockAlign, true)
  view.setUint16(32, blockAlign, true)
  view.setUint16(34, shape.bitsPerSample, true)
  text(36, 'data')
  view.setUint32(dataSizeAt, file.byteLength - wavHeaderBytes, true)
}
