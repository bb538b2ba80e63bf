/**
 * What crosses between host and GPU at a graph's borders. On the device a tensor has one place, since work there is in
 * order; in pinned memory it has two, so that a run may be prepared while the one before is still read and written.
 */
import type { DeviceBuffer, Event, Native, PinnedBuffer, Stream } from '../addon.js'
import type { DType, HostTensor } from '../session.js'
import { copyOut, elementsOf } from './dtypes.js'

/** Bytes between two tensors that are rather copied along than make a copy of their own. */
const GAP = 16_384

/** TensorRT wants addresses at multiples of it. */
export const ALIGNMENT = 256
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Pinned memory of one run. */
export interface Turn {
  readonly pinned: PinnedBuffer
  /** Happens when the run's outputs are in pinned memory. */
  readonly done: Event
  /** Gives the memory to the run after the next. */
  release(): void
}

export class Staging {
  readonly device: DeviceBuffer
  private readonly offsets = new Map<string, number>()
  private readonly halves: { pinned: PinnedBuffer; done: Event; free: Promise<void> }[]
  private next = 0

  /** @param largest bytes of every tensor at its largest, in the order in which they shall lie */
  constructor({ DeviceBuffer, PinnedBuffer, Event }: Native, largest: ReadonlyMap<string, number>) {
    let end = 0
    for (const [name, bytes] of largest) {
      this.offsets.set(name, end)
      end += aligned(bytes)
    }
    const bytes = Math.max(end, ALIGNMENT)
    this.device = new DeviceBuffer(bytes)
    this.halves = [0, 1].map(() => ({
      pinned: new PinnedBuffer(bytes),
      done: new Event(),
      free: Promise.resolve(),
    }))
  }

  offset(name: string): number {
    const offset = this.offsets.get(name)
    if (offset === undefined) throw new Error(`${name} has no place at the border`)
    return offset
  }

  /** Memory for a run, in the order of asking, when the run before the last has been read. */
  async take(): Promise<Turn> {
    const half = this.halves[this.next]!
    this.next = 1 - this.next
    const { pinned, done, free: before } = half
    let release = () => {}
    half.free = new Promise((resolve) => {
      release = resolve
    })
    await before
    return { pinned, done, release }
  }

  /** Zeros as all feeds, while no run is there. */
  blank(): Turn {
    const { pinned, done } = this.halves[0]!
    new Uint8Array(pinned.array).fill(0)
    return { pinned, done, release: () => {} }
  }

  /** Puts a feed into pinned memory. */
  write({ pinned }: Turn, name: string, { data }: HostTensor): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    new Uint8Array(pinned.array, this.offset(name), bytes.length).set(bytes)
  }

  /** Brings feeds to the device. @param bytes of each */
  upload({ pinned }: Turn, stream: Stream, bytes: ReadonlyMap<string, number>): void {
    for (const [from, to] of this.spans(bytes)) stream.upload(this.device, from, pinned, from, to - from)
  }

  /** Brings outputs to the host. @param bytes of each */
  download({ pinned }: Turn, stream: Stream, bytes: ReadonlyMap<string, number>): void {
    for (const [from, to] of this.spans(bytes)) stream.download(pinned, from, this.device, from, to - from)
  }

  /** A downloaded output, the caller's to keep. */
  read({ pinned }: Turn, name: string, dtype: DType, dims: readonly number[]): HostTensor {
    return { dtype, dims, data: copyOut(dtype, pinned.array, this.offset(name), elementsOf(dims)) }
  }

  /** Where the tensors begin and end; those that lie close together are one. */
  private spans(bytes: ReadonlyMap<string, number>): [number, number][] {
    const all = [...bytes].map(([name, count]) => [this.offset(name), count] as const)
    const spans: [number, number][] = []
    for (const [begin, count] of all.sort(([a], [b]) => a - b)) {
      if (count === 0) continue
      const last = spans.at(-1)
      if (last && begin - last[1] <= GAP) last[1] = begin + count
      else spans.push([begin, begin + count])
    }
    return spans
  }

  dispose(): void {
    for (const { pinned, done } of this.halves) {
      pinned.dispose()
      done.dispose()
    }
    this.device.dispose()
  }
}
