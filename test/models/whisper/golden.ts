/** The reference's numbers; test/golden/whisper/README.md says how they were made. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '#src/checkpoint/checkpoint.js'
import { root } from '../../root.js'

const folder = join(root, 'test', 'golden', 'whisper')

interface Result {
  readonly tokens: readonly number[]
  readonly text: string
  readonly avg_logprob: number
  readonly no_speech_prob: number
  readonly compression_ratio: number
}

export interface GoldenSegment extends Result {
  readonly id: number
  readonly seek: number
  readonly start: number
  readonly end: number
  readonly temperature: number
}

interface Transcript {
  readonly text: string
  readonly segments: readonly GoldenSegment[]
}

interface Golden {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly language_top5: Readonly<Record<string, number>>
        readonly no_timestamps: Result
        readonly timestamps: Result
        readonly transcribe: Transcript
      }
    >
  >
  readonly longform: {
    readonly order: readonly string[]
    readonly gap_samples: number
    readonly samples: number
    readonly variants: Readonly<
      Record<
        'conditioned' | 'unconditioned',
        Transcript & { readonly windows: readonly (Result & { readonly seek: number })[] }
      >
    >
  }
}

export const golden: Golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
export const clips = Object.keys(golden.files)

const tensors = openCheckpoint(join(folder, 'golden.safetensors'))
export const numbers = (name: string): Float32Array => tensors.tensor(name).floats()

/** A clip at 16 kHz: jfk as the reference resampled it, the others as they are. */
export function clip(name: string): Float32Array {
  if (name === 'jfk') return new Float32Array(new Uint8Array(readFileSync(join(folder, 'jfk.f32'))).buffer)
  const header = 44
  const wav = readFileSync(join(root, 'test', 'audio', 'clips', `${name}.wav`))
  return Float32Array.from(
    { length: (wav.length - header) / 2 },
    (_, i) => wav.readInt16LE(header + 2 * i) / 32768,
  )
}

/** The long form's recording: clips with a second of silence between them. */
export function longform(): Float32Array {
  const { order, gap_samples, samples } = golden.longform
  const audio = new Float32Array(samples)
  let at = 0
  for (const name of order) {
    audio.set(clip(name), at)
    at += clip(name).length + gap_samples
  }
  return audio
}

/** How far compression ratios may differ: Node's zlib finds other matches than Python's, up to 4 bytes in 122 here. */
export const DEFLATE = 0.06

/** All that a generator yields. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** The root of the mean square of the differences, over that of what is wanted. */
export function relativeError(actual: Float32Array, wanted: Float32Array): number {
  const power = (numbers: Float32Array) => numbers.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(power(wanted.map((value, i) => value - actual[i]!)) / power(wanted))
}

export function largestDifference(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) throw new Error(`${actual.length} values instead of ${wanted.length}`)
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - wanted[i]!)), 0)
}
