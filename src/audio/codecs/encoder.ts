/** Samples to the bytes of a file, while they come. Runs on the codecs' thread. */
import { registerAacEncoder } from '@mediabunny/aac-encoder'
import { registerFlacEncoder } from '@mediabunny/flac-encoder'
import { registerMp3Encoder } from '@mediabunny/mp3-encoder'
import {
  AdtsOutputFormat,
  AppendOnlyStreamTarget,
  type AudioCodec,
  AudioSample,
  AudioSampleSource,
  FlacOutputFormat,
  Mp3OutputFormat,
  OggOutputFormat,
  Output,
  type OutputFormat,
} from 'mediabunny'
import './opus.js'
import type { CodedFormat } from './protocol.js'

registerAacEncoder()
registerFlacEncoder()
registerMp3Encoder()

interface Kind {
  readonly codec: AudioCodec
  readonly format: () => OutputFormat
  /** In bit/s, for one voice: more is not heard. */
  readonly bitrate?: number
}

const kinds: Readonly<Record<CodedFormat, Kind>> = {
  // Without the header that tells the length, since the length is not known when it begins.
  mp3: { codec: 'mp3', format: () => new Mp3OutputFormat({ xingHeader: false }), bitrate: 64_000 },
  flac: { codec: 'flac', format: () => new FlacOutputFormat({ appendOnly: true }) },
  opus: { codec: 'opus', format: () => new OggOutputFormat(), bitrate: 32_000 },
  aac: { codec: 'aac', format: () => new AdtsOutputFormat(), bitrate: 64_000 },
}

export class FileEncoder {
  private readonly source: AudioSampleSource
  private readonly output: Output
  private made: Uint8Array[] = []
  private samples = 0

  private constructor(
    { codec, format, bitrate }: Kind,
    private readonly sampleRate: number,
  ) {
    const sink = new WritableStream<Uint8Array>({ write: (bytes) => void this.made.push(bytes.slice()) })
    this.output = new Output({ format: format(), target: new AppendOnlyStreamTarget(sink) })
    this.source = new AudioSampleSource({ codec, ...(bitrate ? { bitrate } : {}) })
    this.output.addAudioTrack(this.source)
  }

  static async open(format: CodedFormat, sampleRate: number): Promise<FileEncoder> {
    const encoder = new FileEncoder(kinds[format], sampleRate)
    await encoder.output.start()
    return encoder
  }

  /** Mono samples; returns the bytes that are ready. */
  async write(samples: Float32Array): Promise<Uint8Array> {
    if (samples.length > 0) {
      using sample = new AudioSample({
        data: samples,
        format: 'f32',
        numberOfChannels: 1,
        sampleRate: this.sampleRate,
        timestamp: this.samples / this.sampleRate,
      })
      await this.source.add(sample)
    }
    this.samples += samples.length
    return this.take()
  }

  /** The file's last bytes. A file without a sample has no bytes at all. */
  async close(): Promise<Uint8Array> {
    if (this.samples === 0) {
      await this.output.cancel()
      return new Uint8Array()
    }
    await this.output.finalize()
    return this.take()
  }

  async drop(): Promise<void> {
    await this.output.cancel()
  }

  private take(): Uint8Array {
    const bytes = Buffer.concat(this.made)
    this.made = []
    return Uint8Array.from(bytes)
  }
}
