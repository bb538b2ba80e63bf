/** Weights as a graph sees them: a checkpoint is a source of them. */
import type { BlockSize, Quantised } from '../weight-numbers.js'

/** How blocks of a weight lie: what its form in a graph follows from before any number is read. */
export interface BlockLayout {
  readonly bits: 4 | 5 | 6 | 8
  readonly blockSize: BlockSize
  /** What belongs to every block beside its scale; with none, the numbers are signed. */
  readonly offset: 'none' | 'min' | 'zero'
}

const ggufBlocks: Readonly<Record<string, BlockLayout>> = {
  Q4_0: { bits: 4, blockSize: 32, offset: 'none' },
  Q4_1: { bits: 4, blockSize: 32, offset: 'min' },
  Q5_0: { bits: 5, blockSize: 32, offset: 'none' },
  Q5_1: { bits: 5, blockSize: 32, offset: 'min' },
  Q8_0: { bits: 8, blockSize: 32, offset: 'none' },
  Q4_K: { bits: 4, blockSize: 32, offset: 'min' },
  Q5_K: { bits: 5, blockSize: 32, offset: 'min' },
  Q6_K: { bits: 6, blockSize: 16, offset: 'none' },
}

/** The layout of a weight's blocks by its storage: GGUF's names, and `I4/128`, `U8/32` …; null: it has none. */
export function blockLayout(storage: string): BlockLayout | null {
  const packed = /^([IU])([48])\/(16|32|64|128)$/.exec(storage)
  if (!packed) return Object.hasOwn(ggufBlocks, storage) ? ggufBlocks[storage]! : null
  const [, sign, bits, blockSize] = packed
  return {
    bits: Number(bits) as 4 | 8,
    blockSize: Number(blockSize) as BlockSize,
    offset: sign === 'I' ? 'none' : 'zero',
  }
}

/** What a graph needs to know of a weight. */
export interface Weight {
  readonly dims: readonly number[]
  readonly storage: string
  floats(): Float32Array
  quantised(): Quantised | null
}

/** Where a graph finds weights by their full names; `tensor` throws for a name it does not have. */
export interface WeightSource {
  has(name: string): boolean
  tensor(name: string): Weight
}
