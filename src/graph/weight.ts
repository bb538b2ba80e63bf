/** Weights as a graph sees them: a checkpoint is a source of them. */

/** The quantised numbers of a weight as the checkpoint stores them; src/checkpoint/tensor.ts says how they read. */
export type QuantisedWeight =
  | {
      form: 'affine'
      values: Int8Array | Uint8Array
      scale: Float32Array
      zeroPoint: Int8Array | Uint8Array | null
    }
  | {
      form: 'blocks'
      blockSize: 32
      bits: 4 | 8
      values: Uint8Array | Int8Array
      scale: Float32Array
      min: Float32Array | null
    }

/** What a graph needs to know of a weight. */
export interface Weight {
  readonly dims: readonly number[]
  readonly storage: string
  floats(): Float32Array
  quantised(): QuantisedWeight | null
}

/** Where a graph finds weights by their full names; `tensor` throws for a name it does not have. */
export interface WeightSource {
  has(name: string): boolean
  tensor(name: string): Weight
}
