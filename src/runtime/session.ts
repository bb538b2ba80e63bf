/**
 * What a model's code may know of the engine it runs on: a graph's tensors by name, and slots of state. Where state
 * lives (host rows here, device buffers on TensorRT) is the session's affair.
 */

export type HostArray = Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array
export type DType = 'float32' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool' | 'float16' | 'bfloat16'

/** A tensor in host memory, row-major. */
export interface HostTensor {
  readonly dtype: DType
  readonly dims: readonly number[]
  readonly data: HostArray
}

/** One named tensor at a graph's border; a string is a size known only at run time. */
export interface Binding {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly (number | string)[]
}

/**
 * Self-attention keys or values that a sequence keeps between runs. The graph reads the rows so far as `past`
 * float32 [1, heads, capacity, width], of which the caller's graph masks those from the past length on, and returns
 * the rows of this run as `fresh` float32 [1, heads, rows, width]; the session appends them.
 */
export interface StateTensor {
  readonly past: string
  readonly fresh: string
  readonly heads: number
  readonly width: number
}

export interface GraphSignature {
  readonly inputs: readonly Binding[]
  readonly outputs: readonly Binding[]
  readonly state: readonly StateTensor[]
  /** The most rows that a slot of state can hold; 0 without state. */
  readonly stateRows: number
}

/** Which sequence's state a run continues, and how many of its rows count. */
export interface StateUse {
  readonly slot: number
  readonly past: number
}

export type Feeds = Readonly<Record<string, HostTensor>>
export type Fetches = Readonly<Record<string, HostTensor>>

export interface Session {
  readonly signature: GraphSignature
  /**
   * Runs the graph once. State inputs and outputs are the session's own and never among feeds and fetches.
   * With zero past rows the capacity of `past` is 0.
   * @param outputs the outputs wanted; all that are not state if absent
   */
  run(feeds: Feeds, use?: StateUse, outputs?: readonly string[]): Promise<Fetches>
  /** Forgets a slot's rows and frees their memory. */
  release(slot: number): void
  dispose(): Promise<void>
}

export const float32 = (data: Float32Array, dims: readonly number[]): HostTensor => ({
  dtype: 'float32',
  dims,
  data,
})
export const int64 = (values: readonly number[], dims: readonly number[] = [values.length]): HostTensor => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(values, BigInt),
})
/** The float32 numbers of a fetched tensor. */
export function floats(fetches: Fetches, name: string): Float32Array {
  const data = fetches[name]?.data
  if (!(data instanceof Float32Array)) throw new Error(`the output ${name} is not there as float32`)
  return data
}
