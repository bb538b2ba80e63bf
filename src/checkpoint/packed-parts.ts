/** The stored tensors that one packed weight is made of, found by name and checked by type and shape. */
import type { PlainTensor } from './plain.js'
import type { Scheme } from './quantisation-config.js'

const scaleStorages: readonly string[] = ['F16', 'BF16', 'F32']

export class PackedParts {
  /** Names of the tensors that were asked for. */
  readonly taken = new Set<string>()

  /** @param module the name before the dot of its parts */
  constructor(
    readonly module: string,
    private readonly stored: ReadonlyMap<string, PlainTensor>,
  ) {}

  has(part: string): boolean {
    return this.stored.has(`${this.module}.${part}`)
  }

  /**
   * @param dims those that the tensor must have; null: two of any size above 0
   * @throws SetupError when the tensor is missing, or of another type or shape
   */
  part(part: string, kind: 'words' | 'scales' | 'sizes', dims: readonly number[] | null): PlainTensor {
    const name = `${this.module}.${part}`
    const tensor = this.stored.get(name)
    if (!tensor) throw this.#anyOf().damaged(`has ${this.module} packed into integers, but no ${name}`)
    this.taken.add(name)
    const wanted = { words: ['I32'], scales: scaleStorages, sizes: ['I64', 'I32'] }[kind]
    if (!wanted.includes(tensor.storage)) throw misfit(tensor, tensor.storage, wanted.join(' or '))
    const fits = dims
      ? tensor.dims.length === dims.length && dims.every((size, axis) => size === tensor.dims[axis])
      : tensor.dims.length === 2 && tensor.dims.every((size) => size > 0)
    if (!fits) throw misfit(tensor, shape(tensor.dims), dims ? shape(dims) : 'two dimensions')
    return tensor
  }

  /** The scheme of those announced that has these bits and this many groups in rows of K. */
  scheme(
    schemes: readonly Scheme[],
    bits: readonly number[],
    K: number,
    groups: number,
  ): Scheme & { group: number } {
    for (const { bits: announced, group: size } of schemes) {
      const group = size ?? K
      if (bits.includes(announced) && group * groups === K) return { bits: announced, group }
    }
    const shown = schemes.map(
      ({ bits, group }) => `${bits} bits in ${group ? `groups of ${group}` : 'whole rows'}`,
    )
    throw this.#anyOf().damaged(
      `has ${this.module} in rows of ${K} with ${groups} scales, which are not the ${shown.join(' or ')} of quantization_config`,
    )
  }

  /** GPTQ's and compressed-tensors' group of each column: only neighbours can share one here. */
  checkGroupIndex(part: string, K: number, group: number): void {
    if (!this.has(part)) return
    const index = this.part(part, 'words', [K])
    const groups = new Int32Array(index.bytes().buffer)
    const odd = groups.findIndex((value, k) => value !== Math.floor(k / group))
    if (odd >= 0)
      throw index.file.unsupported(
        `has ${index.name} with column ${odd} in group ${groups[odd]}, so its columns are in another order (desc_act, actorder)`,
        `take a checkpoint that was made without it`,
      )
  }

  #anyOf() {
    for (const [name, tensor] of this.stored) if (name.startsWith(`${this.module}.`)) return tensor.file
    throw new Error(`${this.module} has no tensors`)
  }
}

/** The 32 bits of each word. */
export const wordsOf = (tensor: PlainTensor): Uint32Array => new Uint32Array(tensor.bytes().buffer)

const shape = (dims: readonly number[]) => `[${dims.join(', ')}]`
const misfit = (tensor: PlainTensor, found: string, wanted: string) =>
  tensor.file.damaged(`has ${tensor.name} as ${found} where ${wanted} is needed`)
