/** What an execution context is told before it runs: the shapes of its inputs, and where its tensors lie. */
import type { Dims, ExecutionContext } from '../addon.js'
import type { Binding, DType, Profile } from '../session.js'
import type { Border } from './border.js'
import { bytesOf } from './dtypes.js'
import { extent, resolve, type Sizes } from './sizes.js'
import type { SlotMemory } from './slots.js'
import type { Staging } from './staging.js'

export function setShapes(context: ExecutionContext, { openInputs }: Border, sizes: Sizes): void {
  for (const { name, dims } of openInputs) context.setShape(name, resolve(dims, sizes)!)
}

/** State and resident tensors: the shares of slots from `first` on. */
export function bindSlots(
  context: ExecutionContext,
  { state, residentInputs, residentOutputs }: Border,
  memory: { readonly state: SlotMemory; readonly residents: SlotMemory },
  first: number,
): void {
  const bind = (name: string, slots: SlotMemory) => {
    const { buffer, offset } = slots.place(name, first)
    context.setAddress(name, buffer, offset)
  }
  for (const { name } of state) bind(name, memory.state)
  for (const { name } of [...residentInputs, ...residentOutputs]) bind(name, memory.residents)
}

/** The caller's tensors, for good; but for those that are read on the host, which have a place in each turn. */
export function bindCallers(context: ExecutionContext, border: Border, staging: Staging): void {
  for (const { name } of [...border.inputs, ...border.outputs])
    if (!border.hostInputs.has(name)) context.setAddress(name, staging.device, staging.offset(name))
}

/**
 * Bytes that each tensor of the caller has at most: inputs, then outputs, the small ones close together.
 * @param contexts one of each profile: the shapes of outputs are theirs to tell
 */
export function largestBytes(
  border: Border,
  profiles: readonly Profile[],
  contexts: readonly ExecutionContext[],
): Map<string, number> {
  const { inputs, outputs } = border
  const largest = new Map<string, number>()
  const note = (name: string, dtype: DType, dims: Dims) => {
    if (dims.some((size) => size < 0)) throw new Error(`the size of ${name} does not follow from the inputs`)
    largest.set(name, Math.max(largest.get(name) ?? 0, bytesOf(dtype, dims)))
  }
  for (const [index, profile] of profiles.entries()) {
    const context = contexts[index]!
    const most = extent(profile, 'most')
    setShapes(context, border, most)
    for (const { name, dtype, dims } of inputs) note(name, dtype, resolve(dims, most)!)
    for (const { name, dtype } of outputs) note(name, dtype, context.shape(name))
  }
  const bySize = (tensors: readonly Binding[]) =>
    tensors.map(({ name }) => [name, largest.get(name)!] as const).sort(([, a], [, b]) => a - b)
  return new Map([...bySize(inputs), ...bySize(outputs)])
}
