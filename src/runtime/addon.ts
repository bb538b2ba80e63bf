/**
 * The native contract: everything that native/ gives to TypeScript. It speaks TensorRT's and CUDA's nouns and knows no
 * model. Nothing is copied, synchronised or bound but by a call that says so; the default stream is never used.
 *
 * Life: whatever has `dispose` may be disposed of once or more often, or be left to the garbage collector; children
 * (a context of an engine, a buffer in use by a context) keep their parents alive. A disposed object throws.
 * Threads: an object belongs to the thread (the environment) that made it. `load` is once per process.
 * Failures: every TensorRT or CUDA failure is a {@link NativeError} with the library's own words.
 */

export type NativeDType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int32'
  | 'int64'
  | 'bool'
  | 'fp8'
  | 'int4'
  | 'fp4'
  | 'e8m0'

/**
 * `library`: a library is missing or lacks a symbol; `version`: another major than the headers'; `driver`, `device`:
 * no NVIDIA driver, no usable GPU; `cuda`, `tensorrt`: a call failed; `memory`: the device or the pinned host memory is
 * used up; `cancelled`: a build was; `misuse`: the call was wrong (disposed object, range, shape out of profile,
 * missing address, context in use).
 */
export type NativeErrorCode =
  | 'library'
  | 'version'
  | 'driver'
  | 'device'
  | 'cuda'
  | 'tensorrt'
  | 'memory'
  | 'cancelled'
  | 'misuse'

/** What the addon throws: `message` is one sentence, with the last errors that TensorRT logged behind it. */
export interface NativeError extends Error {
  readonly code: NativeErrorCode
}

export interface Versions {
  /** `major.minor.patch.build` */
  readonly tensorrt: string
  readonly parser: string
  /** CUDA as `13.3`. */
  readonly cudaRuntime: string
  readonly headers: string
}

export interface Device {
  readonly index: number
  readonly name: string
  /** Compute capability as `89`. */
  readonly sm: number
  readonly memoryBytes: number
  /** The CUDA version that the driver supports, as `13.0`. */
  readonly driver: string
}

export type Severity = 'internal error' | 'error' | 'warning' | 'info' | 'verbose'

export type Dims = readonly number[]

/** Smallest, likeliest and largest dimensions of every input with an open size, by the input's name. */
export type OptimizationProfile = Readonly<
  Record<string, { readonly min: Dims; readonly opt: Dims; readonly max: Dims }>
>

export interface BuildOptions {
  /** The .onnx file; its external data lies beside it. */
  readonly onnx: string
  /** Where the plan is streamed to while it is serialised. An unfinished file is removed. */
  readonly plan: string
  /** At least one if an input has an open size. */
  readonly profiles: readonly OptimizationProfile[]
  /** The most scratch memory of a kernel; all of the device's if absent. */
  readonly workspaceBytes?: number
  /** A file of kernel timings, read if it is there and written after the build. One of another GPU is ignored. */
  readonly timingCache?: string
  /** 0 … 5; TensorRT's 3 if absent. */
  readonly optimizationLevel?: number
  /** Whether float32 products may be rounded to 10 bits of mantissa. */
  readonly tf32: boolean
}

/** `step` of `steps` in a phase of the build; phases nest by `parent`. */
export interface BuildProgress {
  readonly phase: string
  readonly parent: string | null
  readonly step: number
  readonly steps: number
  /** Whether the phase is over. */
  readonly finished: boolean
}

export interface BuildReport {
  readonly planBytes: number
  readonly layers: number
  readonly seconds: number
}

/** A build on a thread of its own. */
export interface BuildJob {
  /** Rejects with a NativeError; `cancelled` after {@link cancel}. */
  readonly done: Promise<BuildReport>
  /** Asks the build to stop at its next step. */
  cancel(): void
}

export interface NetworkTensor {
  readonly name: string
  readonly dtype: NativeDType
  /** −1 where the size is open. */
  readonly dims: Dims
}

/** What the parser makes of an .onnx file. */
export interface NetworkSummary {
  readonly layers: number
  readonly inputs: readonly NetworkTensor[]
  readonly outputs: readonly NetworkTensor[]
}

export interface EngineTensor extends NetworkTensor {
  readonly mode: 'input' | 'output'
  /** Shape tensors are read from host memory. */
  readonly location: 'device' | 'host'
  /** The input at whose address this output has to be bound, or null. */
  readonly aliasOf: string | null
  /** Of inputs: the dimensions that each profile allows. */
  readonly profiles: readonly { readonly min: Dims; readonly opt: Dims; readonly max: Dims }[]
}

interface Resource {
  dispose(): void
}

/** Memory of the GPU, aligned to 256 bytes. */
export interface DeviceBuffer extends Resource {
  readonly bytes: number
}

/** Page-locked host memory; `array` is the memory itself and is detached by `dispose`. */
export interface PinnedBuffer extends Resource {
  readonly bytes: number
  readonly array: ArrayBuffer
}

export interface Event extends Resource {
  /** Whether all work before the last `stream.record` of it is done. */
  query(): boolean
  /** Blocks the thread until it is. */
  synchronize(): void
  /** Milliseconds on the GPU since `earlier`; both must have happened. */
  since(earlier: Event): number
}

/** Work in order. Every call but `synchronize` returns at once; buffers must live until the work is done. */
export interface Stream extends Resource {
  /** Host to device: `bytes` from `source` + sourceOffset to `target` + targetOffset. */
  upload(
    target: DeviceBuffer,
    targetOffset: number,
    source: PinnedBuffer,
    sourceOffset: number,
    bytes: number,
  ): void
  /** Device to host. */
  download(
    target: PinnedBuffer,
    targetOffset: number,
    source: DeviceBuffer,
    sourceOffset: number,
    bytes: number,
  ): void
  /** Device to device. */
  copy(
    target: DeviceBuffer,
    targetOffset: number,
    source: DeviceBuffer,
    sourceOffset: number,
    bytes: number,
  ): void
  /** Sets bytes to `value` (0 … 255). */
  fill(target: DeviceBuffer, offset: number, bytes: number, value: number): void
  record(event: Event): void
  wait(event: Event): void
  /** Begins to record instead of to run, in thread-local mode. The work must have run once before. */
  beginCapture(): void
  /** What was recorded, ready to launch; null if something in it cannot be recorded (the stream is usable again). */
  endCapture(): Graph | null
  /** Blocks the thread until all work is done. */
  synchronize(): void
}

/** A recorded sequence of work: shapes and addresses are frozen in it, contents of memory are not. */
export interface Graph extends Resource {
  launch(stream: Stream): void
}

/** One inference at a time: activations and the bindings of one profile. */
export interface ExecutionContext extends Resource {
  readonly profile: number
  /** Another shape than the input has: only when all work of the context is done, which the addon does not wait for. */
  setShape(input: string, dims: Dims): void
  /** Dimensions after all inputs have theirs. */
  shape(tensor: string): Dims
  /** Binds a tensor at `buffer` + offset (a multiple of 256). An aliased output is bound with its input. */
  setAddress(tensor: string, buffer: DeviceBuffer | PinnedBuffer, offset?: number): void
  /** @throws NativeError `misuse` for a missing address or shape, or while another call uses the context */
  enqueue(stream: Stream): void
}

export interface Engine extends Resource {
  readonly tensors: readonly EngineTensor[]
  readonly profiles: number
  /** Bytes of the weights and other memory that all contexts share. */
  readonly weightBytes: number
  /** Bytes of activations that a context of the profile needs. */
  activationBytes(profile: number): number
  /**
   * @param activations memory of at least {@link activationBytes} that the context keeps; its own if absent. Contexts,
   * also those of other engines, may share it if their work is one after another: on one stream, recorded or not.
   * @throws NativeError `misuse` for a buffer that is too small
   */
  createContext(profile: number, stream: Stream, activations?: DeviceBuffer): ExecutionContext
}

/** What `require('native/build/tensorrt.node')` gives. */
export interface Native {
  /** Version of TensorRT's headers that the addon was compiled with; there before {@link load}. */
  readonly headers: string
  /**
   * Opens the libraries, in `folder` or where the loader finds them, and compares majors. Once per process: later calls
   * give the first answer, and another folder is misuse.
   * @throws NativeError `library` or `version`
   */
  load(folder?: string): Versions
  /** The GPUs. Asks the driver first. @throws NativeError `driver` or `device` */
  devices(): Device[]
  /** Makes a GPU this thread's. Before everything below but {@link inspect}. */
  setDevice(index: number): void
  /** Free and total bytes of this thread's GPU. */
  memory(): { readonly free: number; readonly total: number }
  /** Receives what TensorRT logs, on this thread's event loop; null ends it. Does not keep the process alive. */
  onLog(listener: ((severity: Severity, message: string) => void) | null): void
  /** Parses without building. Needs no GPU where TensorRT itself needs none. */
  inspect(onnx: string): NetworkSummary
  build(options: BuildOptions, onProgress?: (progress: BuildProgress) => void): BuildJob
  /** Reads a plan to this thread's GPU. */
  loadEngine(plan: string): Engine
  readonly DeviceBuffer: new (bytes: number) => DeviceBuffer
  readonly PinnedBuffer: new (bytes: number) => PinnedBuffer
  readonly Stream: new () => Stream
  readonly Event: new () => Event
}
