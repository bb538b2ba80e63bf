/** Voices: a row of styles per number of phonemes, read when first used. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError, SetupError } from '../../errors.js'
import type { Accent } from './phonemes/phonemes.js'

export interface Styles {
  readonly decoder: Float32Array
  readonly prosody: Float32Array
}

/** The first letter of a voice's name is its language. */
const accents: Readonly<Record<string, Accent>> = { a: 'us', b: 'gb' }

export class Voices {
  /** Voices of languages that can be phonemised, sorted. */
  readonly names: readonly string[]
  readonly #folder: string
  readonly #styleSize: number
  readonly #read = new Map<string, Float32Array>()

  /** @param folder has one `<name>.bin` per voice: float32 little endian [rows, 1, 2 · styleSize] */
  constructor(folder: string, styleSize: number) {
    this.#folder = folder
    this.#styleSize = styleSize
    this.names = readdirSync(folder)
      .filter((file) => file.endsWith('.bin') && file.charAt(0) in accents)
      .map((file) => file.slice(0, -'.bin'.length))
      .sort()
    if (this.names.length === 0)
      throw new SetupError(`${folder} has no English voice (a*.bin or b*.bin): build the engine again`)
  }

  /** @throws ServiceError `unknown_voice`, listing those that exist. */
  accent(voice: string): Accent {
    const accent = accents[voice.charAt(0)]
    if (!accent || !this.names.includes(voice))
      throw new ServiceError(
        'unknown_voice',
        `There is no voice ${JSON.stringify(voice)}; there are: ${this.names.join(', ')}.`,
        'voice',
      )
    return accent
  }

  /** How `voice` speaks a text of so many phonemes (1 …): row `phonemes − 1`, as the voices were made. */
  styles(voice: string, phonemes: number): Styles {
    const values = this.#values(voice)
    const [width, size] = [2 * this.#styleSize, this.#styleSize]
    const row = (phonemes - 1) * width
    if (phonemes < 1 || row + width > values.length)
      throw new Error(`the voice ${voice} has no row for ${phonemes} phonemes`)
    return { decoder: values.slice(row, row + size), prosody: values.slice(row + size, row + width) }
  }

  #values(voice: string): Float32Array {
    let values = this.#read.get(voice)
    if (!values) {
      const bytes = readFileSync(join(this.#folder, `${voice}.bin`))
      values = new Float32Array(new Uint8Array(bytes).buffer)
      this.#read.set(voice, values)
    }
    return values
  }
}
