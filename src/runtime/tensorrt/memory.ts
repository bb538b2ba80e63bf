/** What a model needs of the GPU's memory, and the one sentence when that is not there. */
import { SetupError } from '../../errors.js'
import { bytesOf } from './dtypes.js'
import { Residents } from './residents.js'
import type { LoadedGraph } from './session.js'
import { extent, profilesOf, resolve } from './sizes.js'
import { shareBytes } from './slots.js'
import { aligned } from './staging.js'

/** Bytes on the device. */
export interface Need {
  readonly weights: number
  /** Keys and values of all slots, and what stays between graphs. */
  readonly state: number
  /** Shared by all contexts, whose work is one after another. */
  readonly activations: number
  /** Inputs and outputs at the borders. */
  readonly buffers: number
}

export interface Place {
  /** The GPU's name. */
  readonly name: string
  readonly free: number
  readonly total: number
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0)

/** What plans need beside the `weights` that they have brought. */
export function needOf(graphs: readonly LoadedGraph[], weights: number): Need {
  const residents = Residents.tensors(graphs.map(({ border }) => border))
  const slots = Math.max(...graphs.map(({ signature }) => signature.slots), 0)
  const states = graphs.map(({ border, signature }) => signature.slots * sum(border.state.map(shareBytes)))
  return {
    weights,
    state: sum(states) + slots * sum(residents.map(shareBytes)),
    activations: activationBytes(graphs),
    buffers: sum(graphs.map(borderBytes)),
  }
}

/** What the greediest profile of all graphs needs. */
export const activationBytes = (graphs: readonly LoadedGraph[]): number =>
  Math.max(
    0,
    ...graphs.flatMap(({ plan, signature }) =>
      profilesOf(signature).map((_, index) => plan.activationBytes(index)),
    ),
  )

/** Outputs whose sizes only the plan knows are left out. */
function borderBytes({ border, signature }: LoadedGraph): number {
  const profiles = profilesOf(signature).map((profile) => extent(profile, 'most'))
  const largest = [...border.inputs, ...border.outputs].map(({ dtype, dims }) =>
    Math.max(
      ...profiles.map((sizes) => {
        const most = resolve(dims, sizes)
        return most ? aligned(bytesOf(dtype, most)) : 0
      }),
    ),
  )
  return sum(largest)
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

/**
 * @param place as it was before anything of the model was there
 * @param cause what could not be had
 */
export function tooLarge(model: string, need: Need, { name, free, total }: Place, cause?: Error): SetupError {
  // Page-locked memory, or what TensorRT takes beside: the numbers would explain nothing.
  if (cause && sum(Object.values(need)) <= free)
    return new SetupError(`${model} can not be loaded: ${cause.message}. End what else uses that memory.`, {
      cause,
    })
  const parts = Object.entries(need).filter(([, bytes]) => bytes > 0)
  const list = parts.map(([part, bytes]) => `${megabytes(bytes)} ${part}`).join(', ')
  return new SetupError(
    `${model} needs ${megabytes(sum(Object.values(need)))} of GPU memory (${list}), but of the ${megabytes(total)} of ${name} ${megabytes(free)} are free: end what else uses the GPU, or build the engine with a lower KV_MEMORY, fewer SLOTS or another PRECISION.`,
    cause && { cause },
  )
}

/** @throws SetupError when a model needs more than is free */
export function refuseTooLarge(model: string, need: Need, place: Place): void {
  if (sum(Object.values(need)) > place.free) throw tooLarge(model, need, place)
}
