/**
 * Decoders of single packets: mpg123, libopus and libFLAC, each in a sandbox of WebAssembly, so a hostile file can break
 * no more than the reading of itself.
 */
import { FLACDecoder } from '@wasm-audio-decoders/flac'
import { MPEGDecoder } from 'mpg123-decoder'
import { OpusDecoder } from 'opus-decoder'

export interface Block {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  /** In Hz. */
  readonly sampleRate: number
}

export interface PacketDecoder {
  readonly ready: Promise<void>
  decodeFrames(packets: Uint8Array[]): Block | Promise<Block>
  free(): void
}

/** A decoder that is to be freed; null for a codec without one. */
export function packetDecoder(codec: string | null, config: AudioDecoderConfig): PacketDecoder | null {
  switch (codec) {
    case 'mp3':
      return new MPEGDecoder()
    case 'opus':
      return new OpusDecoder(opusStreams(config))
    case 'flac':
      return new FLACDecoder()
    default:
      return null
  }
}

/** The streams of an OpusHead (RFC 7845, 5.1); one of one or two channels where it says nothing of them. */
function opusStreams({ description, numberOfChannels }: AudioDecoderConfig): object {
  const head = description
    ? Buffer.from(
        ArrayBuffer.isView(description) ? description.buffer : description,
        ArrayBuffer.isView(description) ? description.byteOffset : 0,
        description.byteLength,
      )
    : Buffer.alloc(0)
  const [channels = 0, family = 0] = [head[9], head[18]]
  if (family === 0 || head.length < 21 + channels) return { channels: Math.min(2, numberOfChannels) }
  return {
    channels,
    streamCount: head[19],
    coupledStreamCount: head[20],
    channelMappingTable: [...head.subarray(21, 21 + channels)],
  }
}
