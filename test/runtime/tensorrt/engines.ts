/** Engines of tiny programs on the stand-in for TensorRT, and a GPU that keeps a log of its stream. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Native, Stream } from '#src/runtime/addon.js'
import type { Engine } from '#src/runtime/engine.js'
import type { Manifest } from '#src/runtime/manifest.js'
import type { Binding, GraphSignature, HostTensor } from '#src/runtime/session.js'
import { openTensorRt } from '#src/runtime/tensorrt/engine.js'
import type { Gpu } from '#src/runtime/tensorrt/library.js'
import { extent, resolve } from '#src/runtime/tensorrt/sizes.js'
import { openNative } from '../../native/native.js'
import { currentBuild } from '../../native/toolchain.js'

const made = mkdtempSync(join(tmpdir(), 'tensorrt-'))
process.on('exit', () => rmSync(made, { recursive: true, force: true }))

export interface TestGraph {
  /** Lines in front of those that follow from the signature: weights, behaviour. */
  readonly head?: readonly string[]
  /** How the outputs follow from the inputs. */
  readonly body: readonly string[]
  readonly signature: GraphSignature
  /** Inputs that are read on the host. */
  readonly host?: readonly string[]
}

export const tensor = (name: string, dtype: Binding['dtype'], ...dims: Binding['dims']): Binding => ({
  name,
  dtype,
  dims,
})

export const signature = (
  inputs: readonly Binding[],
  outputs: readonly Binding[],
  more: Partial<GraphSignature> = {},
): GraphSignature => ({
  inputs,
  outputs,
  state: [],
  stateRows: 0,
  resident: [],
  slots: 0,
  profiles: [],
  ...more,
})

export const int32 = (...values: number[]): HostTensor => ({
  dtype: 'int32',
  dims: [values.length],
  data: Int32Array.from(values),
})

/** Calls of a stream, as `upload`, `download`, `synchronize`, `capture`, `refuse` (what cannot be captured), `replay`. */
export type Log = string[]

/** The stand-in's GPU; calls of its streams go to `log`. */
export async function testGpu(log: Log = []): Promise<Gpu> {
  const native = await openNative()
  const [device] = native.devices()
  const versions = native.load((await currentBuild()).sdk)
  const { name, sm, driver } = device!
  const identity = { tensorrt: versions.tensorrt, cuda: versions.cudaRuntime, sm, name, driver }
  return { native: logged(native, log), device: identity }
}

function logged(native: Native, log: Log): Native {
  class LoggedStream extends native.Stream implements Stream {
    override upload(...call: Parameters<Stream['upload']>): void {
      log.push('upload')
      super.upload(...call)
    }
    override download(...call: Parameters<Stream['download']>): void {
      log.push('download')
      super.download(...call)
    }
    override synchronize(): void {
      log.push('synchronize')
      super.synchronize()
    }
    override endCapture(): ReturnType<Stream['endCapture']> {
      const graph = super.endCapture()
      log.push(graph ? 'capture' : 'refuse')
      if (!graph) return null
      return {
        launch: () => {
          log.push('replay')
          graph.launch(this)
        },
        dispose: () => graph.dispose(),
      }
    }
  }
  // The rest of the addon as it is: its functions do not look at what they are called on.
  return Object.assign(Object.create(native) as Native, { Stream: LoggedStream })
}

/** Builds the graphs into a new folder. */
export async function writePlans(
  graphs: Readonly<Record<string, TestGraph>>,
  { native, device }: Gpu,
): Promise<{ folder: string; manifest: Manifest }> {
  const folder = mkdtempSync(join(made, 'engine-'))
  for (const [name, { head = [], body, signature, host = [] }] of Object.entries(graphs)) {
    const onnx = join(folder, `${name}.onnx`)
    const inputs = signature.inputs.map(
      ({ name, dtype, dims }) =>
        `input ${name} ${dtype} [${dims.join()}]${host.includes(name) ? ' host' : ''}`,
    )
    const outputs = signature.outputs.map(({ name }) => name).join(' ')
    writeFileSync(onnx, [...head, ...inputs, ...body, `output ${outputs}`].join('\n'))
    const open = signature.inputs.filter(({ dims }) => dims.some((size) => typeof size === 'string'))
    const profiles = signature.profiles.map((profile) =>
      Object.fromEntries(
        open.map(({ name, dims }) => {
          const at = (which: 'least' | 'likeliest' | 'most') => resolve(dims, extent(profile, which))!
          return [name, { min: at('least'), opt: at('likeliest'), max: at('most') }]
        }),
      ),
    )
    await native.build({ onnx, plan: join(folder, `${name}.plan`), profiles, tf32: false }).done
  }
  const manifest: Manifest = {
    model: 'test',
    family: 'llama',
    runtime: 'tensorrt',
    builder: 'test',
    options: { precision: 'float32' },
    device,
    parameters: 0,
    sources: {},
    files: {},
    graphs: Object.fromEntries(Object.entries(graphs).map(([name, { signature }]) => [name, signature])),
  }
  return { folder, manifest }
}

export async function openTestEngine(graphs: Readonly<Record<string, TestGraph>>, gpu: Gpu): Promise<Engine> {
  const { folder, manifest } = await writePlans(graphs, gpu)
  return openTensorRt(folder, manifest, gpu)
}

export const HEADS = 2
export const STATE_ROWS = 8
export const WIDTH = 16
export const SLOTS = 4
/** Values of a slot's share of the state, and of what the encoder hands to the decoder. */
export const SHARE = HEADS * STATE_ROWS * WIDTH
export const CROSS = 64

/** One state tensor whose rows the caller feeds as `rows`; `seen` is the whole memory of the run's slots. */
export const decoder: TestGraph = {
  body: ['fresh = kv_update past rows past_length', 'seen = copy fresh', 'y = mul tokens tokens'],
  signature: signature(
    [
      tensor('tokens', 'float32', 'batch', 'length'),
      tensor('past_length', 'int32', 'batch'),
      tensor('rows', 'float32', 'batch', HEADS, 'length', WIDTH),
      tensor('past', 'float32', 'batch', HEADS, STATE_ROWS, WIDTH),
    ],
    [
      tensor('y', 'float32', 'batch', 'length'),
      tensor('seen', 'float32', 'batch', HEADS, STATE_ROWS, WIDTH),
      tensor('fresh', 'float32', 'batch', HEADS, STATE_ROWS, WIDTH),
    ],
    {
      state: [{ past: 'past', fresh: 'fresh', heads: HEADS, width: WIDTH }],
      stateRows: STATE_ROWS,
      slots: SLOTS,
      profiles: [
        { name: 'prefill', sizes: { batch: [1, 1, 1], length: [2, 4, 6] } },
        { name: 'decode', sizes: { batch: [1, 2, SLOTS], length: [1, 1, 1] } },
      ],
    },
  ),
}

/** Feeds of a decoder's run: every value of row r of the run's sequence i is `values[i][r]`. */
export function decoderFeeds(
  values: readonly (readonly number[])[],
  pasts: readonly number[],
): Record<string, HostTensor> {
  const length = values[0]!.length
  const rows = values.flatMap((sequence) =>
    Array.from({ length: HEADS }, () => sequence.flatMap((value) => Array<number>(WIDTH).fill(value))),
  )
  return {
    tokens: { dtype: 'float32', dims: [values.length, length], data: Float32Array.from(values.flat()) },
    past_length: int32(...pasts),
    rows: {
      dtype: 'float32',
      dims: [values.length, HEADS, length, WIDTH],
      data: Float32Array.from(rows.flat()),
    },
  }
}

/** What `seen` shows of a sequence: the value of every row, all heads and columns being alike. */
export function rowsSeen({ data }: HostTensor, sequence = 0): number[] {
  const share = (data as Float32Array).subarray(sequence * SHARE, (sequence + 1) * SHARE)
  const values: number[] = []
  for (let row = 0; row < STATE_ROWS; row++) {
    const value = share[row * WIDTH]!
    for (let head = 0; head < HEADS; head++)
      for (let column = 0; column < WIDTH; column++)
        if (share[(head * STATE_ROWS + row) * WIDTH + column] !== value)
          throw new Error(`row ${row} of sequence ${sequence} is not alike in all heads and columns`)
    values.push(value)
  }
  return values
}
