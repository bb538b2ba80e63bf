/**
 * The `fmt ` chunk of a WAV file: which samples follow. Sources: Microsoft's "Multimedia Programming Interface
 * and Data Specifications 1.0" (WAVEFORMAT) and mmreg.h (WAVEFORMATEXTENSIBLE and its sub-format GUIDs).
 */
import { ServiceError } from '../errors.js'

export interface SampleFormat {
  readonly format: 'pcm' | 'float'
  readonly bitsPerSample: 8 | 16 | 24 | 32 | 64
  readonly channels: number
  /** In Hz. */
  readonly sampleRate: number
  /** Bytes of one frame: one sample of every channel. */
  readonly blockAlign: number
}

const minSampleRate = 8000
const maxSampleRate = 48000
const maxChannels = 2

const tagPcm = 0x0001
const tagFloat = 0x0003
const tagExtensible = 0xfffe

/** Formats that people do send in a WAV file and that we do not read, for the message. */
const otherTags: ReadonlyMap<number, string> = new Map([
  [0x0002, 'Microsoft ADPCM'],
  [0x0006, 'A-law'],
  [0x0007, 'µ-law'],
  [0x0011, 'IMA ADPCM'],
  [0x0031, 'GSM 6.10'],
  [0x0050, 'MPEG'],
  [0x0055, 'MP3'],
  [0x00ff, 'AAC'],
])

/** KSDATAFORMAT_SUBTYPE_*: a format tag in the first two bytes, then always these fourteen. */
const subFormatTail = '000000001000800000aa00389b71'

const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`

/**
 * Reads the body of a `fmt ` chunk (little-endian).
 * @throws ServiceError `invalid_audio`, naming `param`, the value and what is allowed
 */
export function parseFormat(body: Uint8Array, param: string): SampleFormat {
  const refuse = (what: string): never => {
    throw new ServiceError('invalid_audio', `${param}: ${what}`, param)
  }
  if (body.length < 16) return refuse(`the fmt chunk has ${body.length} bytes; it needs at least 16`)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const channels = view.getUint16(2, true)
  const sampleRate = view.getUint32(4, true)
  const blockAlign = view.getUint16(12, true)
  const bits = view.getUint16(14, true)

  const outerTag = view.getUint16(0, true)
  const tag = outerTag === tagExtensible ? extensibleTag(body, view, bits, refuse) : outerTag
  if (tag !== tagPcm && tag !== tagFloat) {
    const name = otherTags.get(tag)
    return refuse(
      `the WAV holds ${name ? `${name} (format ${hex(tag)})` : `format ${hex(tag)}`}; only PCM (0x0001) and float (0x0003) are read`,
    )
  }
  const format = tag === tagPcm ? 'pcm' : 'float'
  if (channels < 1 || channels > maxChannels)
    return refuse(`the recording has ${channels} channels; 1 or ${maxChannels} are allowed`)
  if (sampleRate < minSampleRate || sampleRate > maxSampleRate)
    return refuse(`the sample rate is ${sampleRate} Hz; ${minSampleRate} to ${maxSampleRate} Hz are allowed`)
  const bitsPerSample = allowedBits(format, bits)
  if (bitsPerSample === undefined)
    return refuse(
      `the samples are ${bits}-bit ${format}; ${format === 'pcm' ? '8, 16, 24 and 32-bit PCM' : '32 and 64-bit float'} are read`,
    )
  const expected = (channels * bits) / 8
  if (blockAlign !== expected)
    return refuse(
      `the fmt chunk's block size is ${blockAlign} bytes; ${channels} × ${bits} bits make ${expected}`,
    )
  return { format, bitsPerSample, channels, sampleRate, blockAlign }
}

/** The format tag inside a WAVEFORMATEXTENSIBLE. Samples with fewer valid bits are left-justified: nothing to do. */
function extensibleTag(
  body: Uint8Array,
  view: DataView,
  bits: number,
  refuse: (what: string) => never,
): number {
  if (body.length < 40)
    return refuse(`the extensible fmt chunk has ${body.length} bytes; it needs at least 40`)
  const extra = view.getUint16(16, true)
  if (extra < 22) return refuse(`the extensible fmt chunk's extension has ${extra} bytes; it needs 22`)
  const validBits = view.getUint16(18, true)
  if (validBits > bits) return refuse(`the fmt chunk says ${validBits} valid bits in samples of ${bits}`)
  const tail = Buffer.from(body.subarray(26, 40)).toString('hex')
  if (tail !== subFormatTail) {
    const guid = Buffer.from(body.subarray(24, 40)).toString('hex')
    return refuse(`the sub-format GUID (bytes ${guid}) is neither PCM nor float`)
  }
  return view.getUint16(24, true)
}

function allowedBits(format: 'pcm' | 'float', bits: number): SampleFormat['bitsPerSample'] | undefined {
  switch (bits) {
    case 8:
    case 16:
    case 24:
      return format === 'pcm' ? bits : undefined
    case 32:
      return bits
    case 64:
      return format === 'float' ? bits : undefined
    default:
      return undefined
  }
}
