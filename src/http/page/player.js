/** Plays sound while it arrives, without gaps: 24 kHz, mono, 16 bit, little endian. */
import { levelOf } from './level.js'

const RATE = 24_000
/** How far ahead of the loudspeaker the first piece is put, and the next after a pause in its coming. */
const LEAD_SECONDS = 0.06

/** @type {AudioContext | undefined} */
let shared

/** Has to be called within a press of a button or key: browsers let no page sound before. */
export function unlockSound() {
  // Of the sound's own rate: pieces that are resampled one by one would click where they meet.
  shared ??= new AudioContext({ sampleRate: RATE })
  void shared.resume()
  return shared
}

/** One sound. */
export class Playback {
  #context = unlockSound()
  #output = new AnalyserNode(this.#context, { fftSize: 512 })
  /** @type {Set<AudioBufferSourceNode>} */
  #waiting = new Set()
  #ended = false
  /** Where the next piece goes, in samples of the context's clock. */
  #next = 0
  /** Half a sample that came apart. @type {number | undefined} */
  #half
  /** @type {() => void} */
  #resolve = () => {}

  /** Resolves when the last sample was heard, or at {@link stop}. */
  over = new Promise((resolve) => {
    this.#resolve = () => resolve(undefined)
  })
  /** When the first sample is heard, on the clock of performance.now(). @type {number | undefined} */
  heardAt

  constructor() {
    this.#output.connect(this.#context.destination)
  }

  /** @param {Uint8Array} bytes */
  push(bytes) {
    const samples = this.#samplesOf(bytes)
    if (samples.length === 0) return
    const buffer = this.#context.createBuffer(1, samples.length, RATE)
    buffer.copyToChannel(samples, 0)
    const source = new AudioBufferSourceNode(this.#context, { buffer })
    source.connect(this.#output)
    const soonest = Math.ceil((this.#context.currentTime + LEAD_SECONDS) * RATE)
    if (this.#next < this.#context.currentTime * RATE) this.#next = soonest
    source.start(this.#next / RATE)
    this.heardAt ??= performance.now() + (this.#next / RATE - this.#context.currentTime) * 1000
    this.#next += samples.length
    this.#waiting.add(source)
    source.onended = () => {
      this.#waiting.delete(source)
      this.#finish()
    }
  }

  /** No more will come. */
  end() {
    this.#ended = true
    this.#finish()
  }

  stop() {
    for (const source of this.#waiting) source.stop()
    this.#waiting.clear()
    this.end()
  }

  /** 0 … 1, of what is heard now. */
  level() {
    const samples = new Float32Array(this.#output.fftSize)
    this.#output.getFloatTimeDomainData(samples)
    return levelOf(samples)
  }

  #finish() {
    if (!this.#ended || this.#waiting.size > 0) return
    this.#output.disconnect()
    this.#resolve()
  }

  /** @param {Uint8Array} bytes */
  #samplesOf(bytes) {
    const kept = this.#half === undefined ? 0 : 1
    const whole = new Uint8Array(kept + bytes.length)
    if (this.#half !== undefined) whole[0] = this.#half
    whole.set(bytes, kept)
    this.#half = whole.length % 2 === 1 ? whole.at(-1) : undefined
    const view = new DataView(whole.buffer, whole.byteOffset, whole.length)
    return Float32Array.from({ length: whole.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32_768)
  }
}
