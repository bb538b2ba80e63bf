/** Sound as files and texts. */

const HEADER = 44

/**
 * @param {Float32Array} samples mono, -1 … 1
 * @param {number} rate
 */
export function wav(samples, rate) {
  const bytes = samples.length * 2
  const view = new DataView(new ArrayBuffer(HEADER + bytes))
  /** @param {number} at @param {string} text */
  const tag = (at, text) => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i))
  }
  tag(0, 'RIFF')
  view.setUint32(4, HEADER - 8 + bytes, true)
  tag(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true) // PCM
  view.setUint16(22, 1, true) // mono
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  tag(36, 'data')
  view.setUint32(40, bytes, true)
  for (const [i, sample] of samples.entries())
    view.setInt16(HEADER + 2 * i, Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), true)
  return new Blob([view], { type: 'audio/wav' })
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(blob)
  })
}

/** @param {string} text */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
