/** What the graphs of an engine hand to each other by slot, on the device. */
import type { Native, Stream } from '../addon.js'
import type { SlotUse } from '../session.js'
import { needsBuild } from '../store.js'
import type { Border } from './border.js'
import { SlotMemory, type SlotTensor } from './slots.js'

export class Residents {
  private readonly made = new Map<string, Set<number>>()

  constructor(readonly memory: SlotMemory) {}

  /** Of the graphs that were opened by `slots`. @throws SetupError when they disagree on a tensor */
  static tensors(borders: Iterable<Border>): SlotTensor[] {
    const tensors = new Map<string, SlotTensor>()
    for (const { residentInputs, residentOutputs } of borders)
      for (const tensor of [...residentOutputs, ...residentInputs]) {
        const other = tensors.get(tensor.name) ?? tensor
        const [wanted, found] = [other, tensor].map(({ dtype, share }) => `${dtype} [${share.join(', ')}]`)
        if (wanted !== found)
          throw needsBuild(
            `${tensor.name} is ${wanted} in one graph of the engine and ${found} in another`,
            'tensorrt',
          )
        tensors.set(tensor.name, other)
      }
    return [...tensors.values()]
  }

  static open(native: Native, slots: number, borders: Iterable<Border>): Residents {
    return new Residents(new SlotMemory(native, slots, Residents.tensors(borders)))
  }

  /** @throws Error when a run needs what was not made */
  require(tensors: readonly SlotTensor[], uses: readonly SlotUse[]): void {
    for (const { name } of tensors)
      for (const { slot } of uses)
        if (!this.made.get(name)?.has(slot))
          throw new Error(`${name} of slot ${slot} was not made: the graph before has to run first`)
  }

  make(tensors: readonly SlotTensor[], uses: readonly SlotUse[]): void {
    for (const { name } of tensors) {
      const slots = this.made.get(name) ?? new Set()
      for (const { slot } of uses) slots.add(slot)
      this.made.set(name, slots)
    }
  }

  release(slot: number): void {
    for (const slots of this.made.values()) slots.delete(slot)
  }

  /** Zeros in all slots, and nothing made. */
  clear(stream: Stream): void {
    this.made.clear()
    this.memory.clear(stream)
  }

  dispose(): void {
    this.made.clear()
    this.memory.dispose()
  }
}
