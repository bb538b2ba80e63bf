/** The microphone → a WAV of 16 bit, mono, 16 kHz: what the recogniser works with, and a third of the bytes. */
import { levelOf } from './level.js'
import { wav } from './wav.js'

const RATE = 16_000
/** Below it (full scale is 1) a whole recording is a microphone that is switched off. */
const SILENCE = 1e-4

/** Browsers hide the microphone from pages that others may have changed on their way. */
export const hasMicrophone = isSecureContext && Boolean(navigator.mediaDevices)

/** A recording under way. */
export class Recording {
  /** @type {Float32Array[]} */
  #pieces = []
  #context
  #stream

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   */
  constructor(context, stream) {
    this.#context = context
    this.#stream = stream
  }

  /**
   * Resolves when the microphone is heard.
   * @param {(level: number) => void} onLevel told 0 … 1 about forty times a second
   * @throws {Error} that says why there is no microphone
   */
  static async start(onLevel) {
    const stream = await openMicrophone()
    const context = new AudioContext()
    const recording = new Recording(context, stream)
    try {
      await context.resume()
      await context.audioWorklet.addModule(new URL('./recorder-worklet.js', import.meta.url))
      const node = new AudioWorkletNode(context, 'recorder', {
        channelCount: 1,
        channelCountMode: 'explicit',
        numberOfOutputs: 0,
      })
      await new Promise((begun) => {
        node.port.onmessage = ({ data }) => {
          recording.#pieces.push(data)
          onLevel(levelOf(data))
          begun(undefined)
        }
        context.createMediaStreamSource(stream).connect(node)
      })
    } catch (error) {
      recording.cancel()
      throw error
    }
    return recording
  }

  get seconds() {
    return this.#pieces.reduce((sum, { length }) => sum + length, 0) / this.#context.sampleRate
  }

  /** Switches the microphone off and forgets what was said. */
  cancel() {
    for (const track of this.#stream.getTracks()) track.stop()
    void this.#context.close()
  }

  /**
   * @returns {Promise<Blob>} what was said, as WAV
   * @throws {Error} if that is nothing
   */
  async stop() {
    const rate = this.#context.sampleRate
    this.cancel()
    const samples = new Float32Array(this.#pieces.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const piece of this.#pieces) {
      samples.set(piece, at)
      at += piece.length
    }
    if (!samples.some((sample) => Math.abs(sample) > SILENCE))
      throw new Error('The microphone heard nothing at all: is it muted, or the wrong one?')
    return wav(await resampled(samples, rate), RATE)
  }
}

async function openMicrophone() {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    })
  } catch (error) {
    const { name, message } = /** @type {DOMException} */ (error)
    throw new Error(
      name === 'NotAllowedError'
        ? 'The browser does not let this page use the microphone: allow it in the address bar, or upload a recording.'
        : name === 'NotFoundError'
          ? 'There is no microphone: connect one, or upload a recording.'
          : `The microphone can not be used (${message}): it may belong to another program.`,
      { cause: error },
    )
  }
}

/**
 * @param {Float32Array<ArrayBuffer>} samples
 * @param {number} rate
 */
async function resampled(samples, rate) {
  const length = Math.ceil((samples.length * RATE) / rate)
  const context = new OfflineAudioContext(1, length, RATE)
  const buffer = context.createBuffer(1, samples.length, rate)
  buffer.copyToChannel(samples, 0)
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(context.destination)
  source.start()
  return (await context.startRendering()).getChannelData(0)
}
