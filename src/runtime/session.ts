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
 * Self-attention keys or values that a sequence keeps between runs, `heads` × rows × `width` per slot. How a graph
 * gets them is the affair of the runtime that it is written for:
 * - ONNX Runtime: `past` float32 [batch, heads, capacity, width] has the rows so far, of which the graph masks those
 *   from the past length on; `fresh` [batch, heads, rows, width] are this run's, and the session appends them.
 * - TensorRT: `past` [batch, heads, stateRows, width] is the slots' whole memory, and `fresh` the same memory with this
 *   run's rows in place, the number of which is the second size of the graph's first input.
 */
export interface StateTensor {
  readonly past: string
  readonly fresh: string
  readonly heads: number
  readonly width: number
}

/** Sizes for which an engine has kernels: for every size known only at run time its [least, likeliest, most]. */
export interface Profile {
  readonly name: string
  readonly sizes: Readonly<Record<string, readonly [number, number, number]>>
}

export interface GraphSignature {
  readonly inputs: readonly Binding[]
  readonly outputs: readonly Binding[]
  readonly state: readonly StateTensor[]
  /** The most rows that a slot of state can hold; 0 without state. */
  readonly stateRows: number
  /**
   * Outputs that stay where the engine runs, and inputs that read them in another graph of the same engine: a share
   * [1, …] per slot, under one name in both graphs.
   */
  readonly resident: readonly string[]
  /** How many slots the engine has memory for; 0: as many as are used. */
  readonly slots: number
  /** Empty: any sizes. Else a run's sizes must be within one of them; the first that fits is taken. */
  readonly profiles: readonly Profile[]
}

/** Which sequence a row of the batch belongs to, and how many rows of its state count. */
export interface SlotUse {
  readonly slot: number
  readonly past: number
  /**
   * Computed in vain, because the runtime takes only neighbours: nothing of it is kept, and rows that the slot has from
   * `past` on may be lost.
   */
  readonly idle?: boolean
}

/** Rows of state that a sequence takes at least on ONNX Runtime, however few it has. */
export const LEAST_ROWS = 256

/** What a session may take for state. */
export interface StateLimits {
  /** The most rows of a sequence; what the engine allows if absent. */
  readonly stateRows?: number
  /** ONNX Runtime: the most bytes of all sequences' rows, moves included. TensorRT: the build has fixed them. */
  readonly stateBytes?: number
}

export type Feeds = Readonly<Record<string, HostTensor>>
export type Fetches = Readonly<Record<string, HostTensor>>

export interface Session {
  readonly signature: GraphSignature
  /**
   * Runs the graph once. State and resident tensors are the session's own and never among feeds and fetches.
   * @param uses one per row of the batch, in an order that `together` gave (any one slot is); none for a graph without
   * state and resident tensors
   * @param outputs the outputs wanted; all that are the caller's if absent
   */
  run(feeds: Feeds, uses?: readonly SlotUse[], outputs?: readonly string[]): Promise<Fetches>
  /**
   * How these slots are best run: lists of slots, one run each, in the order of the batch. A list may have slots that
   * were not asked for, where the runtime takes only neighbours (mark their use `idle`). May move rows in memory, and
   * `reserve` and `release` may move them again.
   */
  together(slots: readonly number[]): readonly (readonly number[])[]
  /**
   * Makes room for `rows` rows in a slot, keeping those it has; false, changing nothing, where the memory for state has
   * none left. `run` does so itself for a run of one slot. @throws Error for more rows than a sequence may have
   */
  reserve(slot: number, rows: number): boolean
  /**
   * Gives slot `to` the first `rows` rows of slot `from` (its own are forgotten), in memory only: nothing is computed.
   * The room must be reserved.
   */
  copy(from: number, to: number, rows: number): void
  /** Forgets a slot's rows and resident tensors, and frees their memory where it is not fixed. */
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
