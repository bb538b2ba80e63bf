/** Names what a file looks like from its first bytes, so that a refusal can say more than "unknown". */

interface Signature {
  readonly name: string
  readonly at: number
  readonly bytes: string
}

/** `bytes` is latin1. The order matters only where one pattern is the beginning of another: none is. */
const signatures: readonly Signature[] = [
  { name: 'MP3 (it starts with an ID3 tag)', at: 0, bytes: 'ID3' },
  { name: 'Ogg (Opus or Vorbis)', at: 0, bytes: 'OggS' },
  { name: 'FLAC', at: 0, bytes: 'fLaC' },
  { name: 'WebM or Matroska', at: 0, bytes: '\x1a\x45\xdf\xa3' },
  { name: 'MP4 or M4A', at: 4, bytes: 'ftyp' },
  { name: 'big-endian WAV (RIFX)', at: 0, bytes: 'RIFX' },
  { name: '64-bit WAV (RF64)', at: 0, bytes: 'RF64' },
  { name: '64-bit WAV (BW64)', at: 0, bytes: 'BW64' },
  { name: '64-bit WAV (Wave64)', at: 0, bytes: 'riff\x2e\x91\xcf\x11' },
  { name: 'AIFF', at: 0, bytes: 'FORM' },
  { name: 'Core Audio (CAF)', at: 0, bytes: 'caff' },
  { name: 'Sun AU', at: 0, bytes: '.snd' },
  { name: 'AMR', at: 0, bytes: '#!AMR' },
]

/** `length` bytes from `at` as latin1 text, shorter where the file ends. */
export function latin1(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

/** The name of the format that these bytes begin like; undefined when they look like none we know. */
export function looksLike(bytes: Uint8Array): string | undefined {
  const match = signatures.find(({ at, bytes: magic }) => latin1(bytes, at, magic.length) === magic)
  if (match) return match.name
  const [first, second] = bytes
  if (first !== 0xff || second === undefined) return undefined
  // MPEG's frame sync is eleven set bits; the layer field that follows is 00 for ADTS, which is AAC.
  if ((second & 0xf6) === 0xf0) return 'AAC (ADTS)'
  return (second & 0xe0) === 0xe0 && (second & 0x06) !== 0 ? 'MP3' : undefined
}
