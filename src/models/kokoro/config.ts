/** Kokoro's config.json: the sizes that its tensors do not tell, and the alphabet. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../../errors.js'

export const SAMPLE_RATE = 24_000

export interface KokoroConfig {
  /** Phoneme characters the network knows, and their ids; 0 begins and ends every sequence. */
  readonly symbols: ReadonlyMap<string, number>
  /** The most ids of one run, both ends included. */
  readonly maxIds: number
  /** Channels of the text features. */
  readonly hidden: number
  /** Values of one style vector; a voice's row holds two: the decoder's, then the prosody's. */
  readonly style: number
  /** BiLSTMs of the duration encoder and convolutions of the text encoder. */
  readonly layers: number
  readonly albert: { readonly hidden: number; readonly heads: number; readonly layers: number }
  readonly generator: {
    readonly upsampleRates: readonly number[]
    /** Dilations of the residual blocks that follow each upsampling, and are averaged. */
    readonly dilations: readonly (readonly number[])[]
    readonly fftSize: number
    readonly hop: number
  }
  /** Samples of one step of F0 and energy. */
  readonly stepSamples: number
  /** Samples of one frame, the unit of durations: two steps. */
  readonly frameSamples: number
}

type Json = Record<string, unknown>

/** Values that change the network and have one implemented meaning; absent means that one too. */
const fixed: Json = { multispeaker: true }
const fixedAlbert: Json = {
  hidden_act: 'gelu_new',
  num_hidden_groups: 1,
  inner_group_num: 1,
  layer_norm_eps: 1e-12,
  position_embedding_type: 'absolute',
}

/** Reads and checks `<folder>/config.json`. @throws SetupError naming the key at fault. */
export function readConfig(folder: string): KokoroConfig {
  const path = join(folder, 'config.json')
  const config = new Reader(path, parse(path))
  const albert = config.object('plbert')
  const istft = config.object('istftnet')
  config.require(fixed)
  albert.require(fixedAlbert)

  const upsampleRates = istft.integers('upsample_rates')
  const dilations = istft.lists('resblock_dilation_sizes')
  const kernels = istft.integers('resblock_kernel_sizes')
  if (kernels.length !== dilations.length)
    throw istft.fault('resblock_kernel_sizes', `has ${kernels.length} entries for ${dilations.length} blocks`)
  const hop = istft.integer('gen_istft_hop_size')
  const stepSamples = upsampleRates.reduce((a, b) => a * b, hop)
  return {
    symbols: config.symbols('vocab'),
    maxIds: albert.integer('max_position_embeddings'),
    hidden: config.integer('hidden_dim'),
    style: config.integer('style_dim'),
    layers: config.integer('n_layer'),
    albert: {
      hidden: albert.integer('hidden_size'),
      heads: albert.integer('num_attention_heads'),
      layers: albert.integer('num_hidden_layers'),
    },
    generator: { upsampleRates, dilations, fftSize: istft.integer('gen_istft_n_fft'), hop },
    stepSamples,
    frameSamples: 2 * stepSamples,
  }
}

function parse(path: string): Json {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new SetupError(`${path} can not be read as JSON: copy it from the model's repository`, { cause })
  }
  if (!isObject(value))
    throw new SetupError(`${path} is not a JSON object: copy it from the model's repository`)
  return value
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every(isSize)

/** One object of the file; every fault names the file and the key. */
class Reader {
  readonly #where: string
  readonly #json: Json

  constructor(where: string, json: Json) {
    this.#where = where
    this.#json = json
  }

  fault(key: string, what: string): SetupError {
    return new SetupError(`${this.#where}: ${key} ${what}`)
  }

  integer(key: string): number {
    return this.#checked(key, isSize, 'a positive integer')
  }

  integers(key: string): number[] {
    return this.#checked(key, isSizes, 'a list of positive integers')
  }

  lists(key: string): number[][] {
    const isLists = (value: unknown): value is number[][] => Array.isArray(value) && value.every(isSizes)
    return this.#checked(key, isLists, 'a list of lists of positive integers')
  }

  object(key: string): Reader {
    return new Reader(`${this.#where}: ${key}`, this.#checked(key, isObject, 'an object'))
  }

  symbols(key: string): ReadonlyMap<string, number> {
    const isVocabulary = (value: unknown): value is Record<string, number> =>
      isObject(value) && Object.values(value).every(isSize)
    return new Map(Object.entries(this.#checked(key, isVocabulary, 'an object of positive integers')))
  }

  require(values: Json): void {
    for (const [key, wanted] of Object.entries(values)) {
      const value = this.#json[key] ?? wanted
      if (value !== wanted)
        throw this.fault(key, `is ${JSON.stringify(value)}, only ${JSON.stringify(wanted)} is implemented`)
    }
  }

  #checked<T>(key: string, is: (value: unknown) => value is T, wanted: string): T {
    const value = this.#json[key]
    if (is(value)) return value
    throw this.fault(key, value === undefined ? 'is missing' : `is ${JSON.stringify(value)}, not ${wanted}`)
  }
}
