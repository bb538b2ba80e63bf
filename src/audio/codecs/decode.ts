/** A recording in a container to samples. Runs on the codecs' thread. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis'
import {
  BufferSource,
  EncodedPacketSink,
  FLAC,
  Input,
  type InputAudioTrack,
  MATROSKA,
  MP3,
  MP4,
  OGG,
  QTFF,
  WEBM,
} from 'mediabunny'
import { ServiceError } from '../../errors.js'
import { type Block, packetDecoder } from './decoders.js'
import type { Decoded } from './protocol.js'

/** What is decoded between two looks at the signal. */
const blockPackets = 32
const blockBytes = 16_384
const [minSampleRate, maxSampleRate] = [8000, 48_000]

/**
 * Stops at the first block beyond `maxSeconds`, so that what a small file unfolds to takes no memory.
 * @throws ServiceError `invalid_audio` or `audio_too_long`, without a param; the signal's reason
 */
export async function decodeFile(
  bytes: Uint8Array,
  maxSeconds: number,
  signal: AbortSignal,
): Promise<Decoded> {
  const blocks: Float32Array[] = []
  let sampleRate = 0
  let length = 0
  for await (const { channelData, samplesDecoded, sampleRate: rate } of blocksOf(bytes)) {
    // A cancellation is a message, too.
    await nextTurn()
    signal.throwIfAborted()
    if (samplesDecoded === 0) continue
    sampleRate ||= rate
    if (rate !== sampleRate) throw refusal(`its sample rate changes from ${sampleRate} to ${rate} Hz`)
    if (rate < minSampleRate || rate > maxSampleRate)
      throw refusal(`the sample rate is ${rate} Hz; ${minSampleRate} to ${maxSampleRate} Hz are allowed`)
    const mono = mean(channelData, samplesDecoded)
    length += mono.length
    if (length > maxSeconds * rate)
      throw new ServiceError('audio_too_long', `the recording is longer than ${maxSeconds} s`)
    blocks.push(mono)
  }
  if (length === 0) throw refusal('the recording holds no samples')
  const mono = new Float32Array(length)
  let at = 0
  for (const block of blocks) {
    mono.set(block, at)
    at += block.length
  }
  return { mono, sampleRate }
}

async function* blocksOf(bytes: Uint8Array): AsyncGenerator<Block> {
  // Not those that read from other places (HLS). MP3 comes last: two bytes of it are found in many a file.
  const formats = [OGG, FLAC, WEBM, MATROSKA, MP4, QTFF, MP3]
  const input = new Input({ formats, source: new BufferSource(bytes) })
  try {
    const track = await audioTrack(input)
    const codec = await track.getCodec()
    if (codec === 'vorbis' && (await input.getFormat()) === OGG) yield* vorbisBlocks(bytes)
    else yield* packetBlocks(track, codec)
  } catch (error) {
    // Whatever a reader of files meets in one is the file's fault.
    throw error instanceof ServiceError ? error : refusal(`it is damaged: ${(error as Error).message}`, error)
  } finally {
    input.dispose()
  }
}

async function audioTrack(input: Input): Promise<InputAudioTrack> {
  if (!(await input.canRead())) throw refusal('it is in no format that this service knows')
  const track = await input.getPrimaryAudioTrack()
  if (!track) throw refusal('it has no audio track')
  return track
}

async function* packetBlocks(track: InputAudioTrack, codec: string | null): AsyncGenerator<Block> {
  const config = await track.getDecoderConfig()
  const decoder = config && packetDecoder(codec, config)
  if (!decoder)
    throw refusal(`it holds ${codec ?? 'an unknown codec'}; mp3, flac, opus and Ogg Vorbis are decoded`)
  await decoder.ready
  try {
    let packets: Uint8Array[] = []
    for await (const { data } of new EncodedPacketSink(track).packets()) {
      if (packets.push(data) < blockPackets) continue
      yield decoder.decodeFrames(packets)
      packets = []
    }
    yield decoder.decodeFrames(packets)
  } finally {
    decoder.free()
  }
}

/** The Vorbis decoder reads Ogg itself. */
async function* vorbisBlocks(bytes: Uint8Array): AsyncGenerator<Block> {
  const decoder = new OggVorbisDecoder()
  await decoder.ready
  try {
    for (let at = 0; at < bytes.length; at += blockBytes)
      yield decoder.decode(bytes.subarray(at, at + blockBytes))
    yield decoder.flush()
  } finally {
    decoder.free()
  }
}

/** Clamped, because lossy codecs overshoot. */
function mean(channels: readonly Float32Array[], length: number): Float32Array {
  const mono = new Float32Array(length)
  for (const channel of channels) for (let i = 0; i < length; i++) mono[i]! += channel[i]! / channels.length
  for (let i = 0; i < length; i++) mono[i] = Math.max(-1, Math.min(1, mono[i]!))
  return mono
}

function refusal(what: string, cause?: unknown): ServiceError {
  return new ServiceError('invalid_audio', what, null, { cause })
}
