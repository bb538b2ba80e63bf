/** The metadata of a GGUF file by type; the keys' meaning: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
import { SetupError } from '../errors.js'

export class GgufKeys {
  readonly #metadata: ReadonlyMap<string, unknown>
  readonly #path: string

  /** @param path what messages call the checkpoint */
  constructor(metadata: ReadonlyMap<string, unknown>, path: string) {
    this.#metadata = metadata
    this.#path = path
  }

  number(key: string): number | undefined {
    return this.#typed(key, 'number', (value) => typeof value === 'number')
  }

  /** The id of a token by its role; undefined also for one beyond the tokens that there are, as some files have it. */
  tokenId(role: string, tokens: number): number | undefined {
    const id = this.number(`tokenizer.ggml.${role}_token_id`)
    return id !== undefined && Number.isInteger(id) && id >= 0 && id < tokens ? id : undefined
  }

  text(key: string): string | undefined {
    return this.#typed(key, 'text', (value) => typeof value === 'string')
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, 'truth value', (value) => typeof value === 'boolean')
  }

  texts(key: string): readonly string[] | undefined {
    return this.#typed(key, 'list of texts', (value) => isListOf(value, 'string'))
  }

  numbers(key: string): readonly number[] | undefined {
    return this.#typed(key, 'list of numbers', (value) => isListOf(value, 'number'))
  }

  numberOrFlags(key: string): number | readonly boolean[] | undefined {
    const fits = (value: unknown) => typeof value === 'number' || isListOf(value, 'boolean')
    return this.#typed(key, 'number or list of truth values', fits)
  }

  /** A number that some files give once per layer; undefined when absent. @throws SetupError when layers differ */
  sameForAllLayers(key: string): number | undefined {
    const value = this.#metadata.get(key)
    if (!Array.isArray(value)) return this.number(key)
    const [first, ...others] = this.numbers(key) ?? []
    if (others.every((other) => other === first)) return first
    throw this.fault(
      `gives layers different ${key} (${value.slice(0, 8).join(', ')}, …), which is not supported`,
    )
  }

  /** @throws SetupError when it is undefined */
  needed<T>(value: T | undefined, key: string): T {
    if (value !== undefined) return value
    throw this.fault(
      `has no ${key}: put the model's config.json and tokenizer.json beside it, or take another file`,
    )
  }

  fault(what: string): SetupError {
    return new SetupError(`${this.#path} ${what}.`)
  }

  #typed<T>(key: string, type: string, fits: (value: unknown) => boolean): T | undefined {
    const value = this.#metadata.get(key)
    if (value === undefined) return undefined
    if (fits(value)) return value as T
    throw this.fault(`has a ${key} that is no ${type}: the file is damaged, fetch it again`)
  }
}

const isListOf = (value: unknown, type: string): boolean =>
  Array.isArray(value) && value.every((item: unknown) => typeof item === type)
