/** Memory of the GPU that is divided into slots: self-attention state of a graph, and tensors that stay between graphs. */
import type { DeviceBuffer, Native, NativeDType, Stream } from '../addon.js'
import type { SlotUse } from '../session.js'
import { bytesOf } from './dtypes.js'
import { ALIGNMENT } from './staging.js'

/** A tensor [slots, …] on the device. */
export interface SlotTensor {
  readonly name: string
  readonly dtype: NativeDType
  /** Dimensions of one slot's share. */
  readonly share: readonly number[]
}

export const shareBytes = ({ dtype, share }: SlotTensor): number => bytesOf(dtype, share)

export class SlotMemory {
  private readonly buffers = new Map<string, { buffer: DeviceBuffer; share: number; tensor: SlotTensor }>()

  /**
   * Memory of zeros: what is not written yet is masked, but a NaN found there would survive the mask.
   * @throws Error when a share does not begin where TensorRT can read it
   */
  constructor(
    { DeviceBuffer }: Native,
    readonly slots: number,
    tensors: readonly SlotTensor[],
  ) {
    for (const tensor of tensors) {
      const share = shareBytes(tensor)
      if (slots > 1 && share % ALIGNMENT !== 0)
        throw new Error(
          `a slot's share of ${tensor.name} has ${share} bytes, but has to be a multiple of ${ALIGNMENT}`,
        )
    }
    for (const tensor of tensors) {
      const share = shareBytes(tensor)
      this.buffers.set(tensor.name, { buffer: new DeviceBuffer(slots * share), share, tensor })
    }
  }

  /** Where the share of `slot` is. */
  place(name: string, slot: number): { buffer: DeviceBuffer; offset: number } {
    const found = this.buffers.get(name)
    if (!found) throw new Error(`${name} is not divided into slots`)
    return { buffer: found.buffer, offset: slot * found.share }
  }

  /** Copies the first `rows` rows of every share [heads, stateRows, width] to another slot's, behind what the stream does. */
  copyRows(stream: Stream, from: number, to: number, rows: number): void {
    for (const { buffer, share, tensor } of this.buffers.values()) {
      const [heads, stateRows, width] = tensor.share as [number, number, number]
      const head = bytesOf(tensor.dtype, [stateRows, width])
      const bytes = bytesOf(tensor.dtype, [rows, width])
      for (let offset = 0; offset < heads * head; offset += head)
        stream.copy(buffer, to * share + offset, buffer, from * share + offset, bytes)
    }
  }

  clear(stream: Stream): void {
    for (const { buffer } of this.buffers.values()) stream.fill(buffer, 0, buffer.bytes, 0)
  }

  dispose(): void {
    for (const { buffer } of this.buffers.values()) buffer.dispose()
  }
}

/** The first of the consecutive slots that a run uses. @throws Error for others, or for more than there are */
export function firstSlot(uses: readonly SlotUse[], slots: number): number {
  const first = uses[0]!.slot
  if (uses.some(({ slot }, row) => slot !== first + row))
    throw new Error(`slots ${uses.map(({ slot }) => slot).join(', ')} do not follow one another`)
  if (first < 0 || first + uses.length > slots)
    throw new Error(
      `slots ${first} … ${first + uses.length - 1} are wanted, but the engine has 0 … ${slots - 1}`,
    )
  return first
}

/** How many rows each slot has. TensorRT ignores what is written behind the last, so they are counted here. */
export class RowCounts {
  private readonly rows: number[]

  constructor(
    slots: number,
    private readonly most: number,
  ) {
    this.rows = Array.from({ length: slots }, () => 0)
  }

  /** @throws Error when a sequence would be too long, or continues rows that it does not have */
  check(uses: readonly SlotUse[], rows: number): void {
    for (const { slot, past, idle } of uses) {
      if (past < 0 || (past > this.rows[slot]! && !idle))
        throw new Error(`slot ${slot} has ${this.rows[slot]} rows of state, but the run continues ${past}`)
      this.checkRoom(slot, past + rows)
    }
  }

  /** @throws Error where a slot can not hold so many, whatever is done */
  checkRoom(slot: number, rows: number): void {
    if (this.rows[slot] === undefined)
      throw new Error(`slot ${slot} is wanted, but the engine has 0 … ${this.rows.length - 1}`)
    if (rows > this.most) throw new Error(`${rows} rows of state, but a slot holds ${this.most}`)
  }

  written(uses: readonly SlotUse[], rows: number): void {
    for (const { slot, past, idle } of uses)
      this.rows[slot] = idle ? Math.min(this.rows[slot]!, past) : past + rows
  }

  /** @throws Error when `from` has not so many, or there is no such slot */
  copied(from: number, to: number, rows: number): void {
    this.checkRoom(from, rows)
    this.checkRoom(to, rows)
    if (rows > this.rows[from]!)
      throw new Error(`slot ${from} has ${this.rows[from]} rows of state, but ${rows} are to be copied`)
    this.rows[to] = rows
  }

  release(slot: number): void {
    if (this.rows[slot] !== undefined) this.rows[slot] = 0
  }
}
