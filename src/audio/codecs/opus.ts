/** libopus as an encoder of Mediabunny's, which puts the packets into Ogg. */
import {
  type AudioCodec,
  type AudioSample,
  CustomAudioEncoder,
  EncodedPacket,
  registerEncoder,
} from 'mediabunny'
import OpusScript from 'opusscript'
import { quantise } from '../pcm.js'

/** The rate of the voices is one of libopus's own. */
const sampleRate = 24_000
const frameSeconds = 0.02
const frameSamples = sampleRate * frameSeconds
/** Of libopus's AUDIO application: 6.5 ms, counted at 48 kHz, that a player leaves out at the start. */
const preSkip = 312

class Opus extends CustomAudioEncoder {
  private encoder!: OpusScript
  private readonly frame = new Int16Array(frameSamples)
  private filled = 0
  private frames = 0

  static override supports(codec: AudioCodec, config: AudioEncoderConfig): boolean {
    return codec === 'opus' && config.sampleRate === sampleRate && config.numberOfChannels === 1
  }

  init(): void {
    this.encoder = new OpusScript(sampleRate, 1, OpusScript.Application.AUDIO)
    this.encoder.setBitrate(this.config.bitrate!)
  }

  encode(sample: AudioSample): void {
    const samples = new Float32Array(sample.numberOfFrames)
    sample.copyTo(samples, { planeIndex: 0, format: 'f32' })
    for (let at = 0; at < samples.length; ) {
      const piece = samples.subarray(at, at + frameSamples - this.filled)
      quantise(piece, this.frame.subarray(this.filled))
      at += piece.length
      this.filled += piece.length
      if (this.filled === frameSamples) this.send()
    }
  }

  /** The encoder holds the last samples back, so silence has to push them out. */
  flush(): void {
    for (let owed = this.filled + preSkip / 2; owed > 0; owed -= frameSamples) {
      this.frame.fill(0, this.filled)
      this.send()
    }
  }

  close(): void {
    this.encoder.delete()
  }

  private send(): void {
    const packet = this.encoder.encode(Buffer.from(this.frame.buffer), frameSamples)
    const meta = {
      decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 1, description: head },
    }
    this.onPacket(
      new EncodedPacket(Uint8Array.from(packet), 'key', this.frames * frameSeconds, frameSeconds),
      this.frames === 0 ? meta : undefined,
    )
    this.frames++
    this.filled = 0
  }
}

registerEncoder(Opus)

/** The identification header (RFC 7845, 5.1): version 1, one channel, no gain, no mapping. */
const head = new Uint8Array(19)
head.set(Buffer.from('OpusHead'))
head.set([1, 1], 8)
new DataView(head.buffer).setUint16(10, preSkip, true)
new DataView(head.buffer).setUint32(12, sampleRate, true)
