/** What crosses a graph's border, and whose it is: the caller's, a slot's state, or what stays between graphs. */
import type { EngineTensor, Engine as Plan } from '../addon.js'
import type { Binding, GraphSignature, Profile } from '../session.js'
import { needsBuild } from '../store.js'
import { isHostType } from './dtypes.js'
import { extent, profilesOf, resolve } from './sizes.js'
import type { SlotTensor } from './slots.js'

export interface Border {
  /** Inputs that the caller feeds, and outputs that the caller gets. */
  readonly inputs: readonly Binding[]
  readonly outputs: readonly Binding[]
  /** Inputs that TensorRT reads in host memory. */
  readonly hostInputs: ReadonlySet<string>
  /** Inputs with a size known only at run time. */
  readonly openInputs: readonly Binding[]
  /** By the name of their input; the output is the same memory. */
  readonly state: readonly SlotTensor[]
  readonly residentInputs: readonly SlotTensor[]
  readonly residentOutputs: readonly SlotTensor[]
  /** The size that counts the slots of a run; null for a graph that uses none. */
  readonly batch: number | string | null
  /** The size that counts the rows of state that a run writes; null for a graph without state. */
  readonly rows: number | string | null
}

/**
 * Compares a plan with its signature.
 * @throws SetupError when they do not belong together
 */
export function borderOf(graph: string, signature: GraphSignature, plan: Plan): Border {
  const refuse = (reason: string) =>
    needsBuild(`The plan of ${graph} is not what its manifest says: ${reason}`, 'tensorrt')
  const tensors = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]))
  const find = (name: string, mode: 'input' | 'output'): EngineTensor => {
    const tensor = tensors.get(name)
    if (tensor?.mode !== mode) throw refuse(`it has no ${mode} ${name}`)
    return tensor
  }
  const past = new Set(signature.state.map((tensor) => tensor.past))
  const fresh = new Set(signature.state.map((tensor) => tensor.fresh))
  const stays = new Set(signature.resident)
  const border = {
    inputs: signature.inputs.filter(({ name }) => !past.has(name) && !stays.has(name)),
    outputs: signature.outputs.filter(({ name }) => !fresh.has(name) && !stays.has(name)),
  }

  const known = [...signature.inputs, ...signature.outputs].map(({ name }) => name)
  const unknown = plan.tensors.find(({ name }) => !known.includes(name))
  if (unknown) throw refuse(`it has ${unknown.name} besides`)
  for (const [mode, bindings] of [
    ['input', border.inputs],
    ['output', border.outputs],
  ] as const)
    for (const binding of bindings) {
      const { name, dtype, location } = find(binding.name, mode)
      if (dtype !== binding.dtype) throw refuse(`${name} is ${dtype}, not ${binding.dtype}`)
      if (!isHostType(dtype)) throw refuse(`${name} is ${dtype}, which the host does not know`)
      if (mode === 'output' && location === 'host') throw refuse(`the output ${name} is written on the host`)
    }
  for (const binding of signature.inputs) checkDims(binding, find(binding.name, 'input').dims, refuse)
  checkProfiles(signature, plan, refuse)

  for (const tensor of signature.state)
    if (find(tensor.fresh, 'output').aliasOf !== tensor.past)
      throw refuse(
        `${tensor.fresh} is not written in place of ${tensor.past}, so that the state would be lost`,
      )
  const slotTensor = ({ name, dims }: Binding): SlotTensor => {
    const share = resolve(dims.slice(1), {})
    if (!share) throw refuse(`the share of a slot in ${name} has an open size`)
    return { name, dtype: tensors.get(name)!.dtype, share }
  }
  const pastInputs = signature.inputs.filter(({ name }) => past.has(name))
  const residentInputs = signature.inputs.filter(({ name }) => stays.has(name))
  const residentOutputs = signature.outputs.filter(({ name }) => stays.has(name))
  for (const { name } of residentOutputs) find(name, 'output')
  const divided = [...pastInputs, ...residentInputs, ...residentOutputs]
  const batches = new Set(divided.map(({ dims }) => dims[0]!))
  if (batches.size > 1) throw refuse(`its slots are counted by ${[...batches].join(' and by ')}`)
  const [batch = null] = batches
  if (batch !== null && signature.slots < 1) throw refuse('it has no slots, but state or resident tensors')
  const crowded = profilesOf(signature).find(({ sizes }) => largestBatch(batch, sizes) > signature.slots)
  if (crowded && batch !== null)
    throw refuse(`its profile ${crowded.name} takes more slots at once than the ${signature.slots} there are`)
  return {
    ...border,
    hostInputs: new Set(
      border.inputs.map(({ name }) => name).filter((name) => tensors.get(name)!.location === 'host'),
    ),
    openInputs: signature.inputs.filter(({ dims }) => dims.some((size) => typeof size === 'string')),
    state: pastInputs.map(slotTensor),
    residentInputs: residentInputs.map(slotTensor),
    residentOutputs: residentOutputs.map(slotTensor),
    batch,
    rows: signature.state.length > 0 ? rowsOf(border.inputs, refuse) : null,
  }
}

const largestBatch = (batch: number | string | null, sizes: Profile['sizes']): number =>
  typeof batch === 'string' ? sizes[batch]![2] : (batch ?? 0)

/** As session.ts says: the second size of the graph's first input. */
function rowsOf([first]: readonly Binding[], refuse: (reason: string) => Error): number | string {
  const rows = first?.dims[1]
  if (rows === undefined) throw refuse('its first input does not count rows')
  return rows
}

function checkDims(
  { name, dims }: Binding,
  found: readonly number[],
  refuse: (reason: string) => Error,
): void {
  const wanted = dims.map((size) => (typeof size === 'number' ? size : -1))
  if (wanted.join() !== found.join())
    throw refuse(`${name} is [${found.join(', ')}], not [${wanted.join(', ')}]`)
}

/** The profiles are told apart by their order alone, so their sizes have to be those of the plan. */
function checkProfiles(signature: GraphSignature, plan: Plan, refuse: (reason: string) => Error): void {
  const profiles = profilesOf(signature)
  if (plan.profiles !== profiles.length)
    throw refuse(`it has ${plan.profiles} profiles, not ${profiles.length}`)
  const tensors = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]))
  for (const { name, dims } of signature.inputs) {
    if (dims.every((size) => typeof size === 'number')) continue
    for (const [index, profile] of profiles.entries()) {
      const { min, max } = tensors.get(name)!.profiles[index]!
      for (const [which, found] of [
        ['least', min],
        ['most', max],
      ] as const) {
        const wanted = resolve(dims, extent(profile, which))
        if (!wanted) throw refuse(`its profile ${profile.name} has no size for ${name} [${dims.join(', ')}]`)
        if (wanted.join() !== found.join())
          throw refuse(
            `its profile ${profile.name} takes ${name} with at ${which} [${found.join(', ')}], not [${wanted.join(', ')}]`,
          )
      }
    }
  }
}

/**
 * Whether runs of a profile are recorded and replayed: those that write a fixed number of rows, which is decoding. They
 * come in few sizes and one after the other. What TensorRT reads on the host would be frozen in the recording.
 */
export function isReplayed({ rows, hostInputs }: Border, { sizes }: Profile): boolean {
  if (rows === null || hostInputs.size > 0) return false
  if (typeof rows === 'number') return true
  const [least, , most] = sizes[rows]!
  return least === most
}
