/** Hands the microphone's samples to the page, a sixtieth of a second or so at a time. */

const LENGTH = 1024

class Recorder extends AudioWorkletProcessor {
  #piece = new Float32Array(LENGTH)
  #filled = 0

  /** @param {Float32Array[][]} inputs */
  process([[samples] = []]) {
    if (!samples) return true
    for (const sample of samples) {
      this.#piece[this.#filled++] = sample
      if (this.#filled < LENGTH) continue
      this.port.postMessage(this.#piece, [this.#piece.buffer])
      this.#piece = new Float32Array(LENGTH)
      this.#filled = 0
    }
    return true
  }
}

registerProcessor('recorder', Recorder)
