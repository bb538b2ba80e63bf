/** A graph's profiles as TensorRT's builder wants them: by input instead of by symbol. */
import type { PlannedGraph } from '../models/plan.js'
import type { OptimizationProfile } from '../runtime/addon.js'
import type { Profile } from '../runtime/session.js'

/**
 * One per profile of the graph, with the dimensions of every input that has an open size; none if all are fixed.
 * @throws Error when a size has no range in some profile: the plan is wrong
 */
export function optimizationProfiles({ graph, profiles = [] }: PlannedGraph): OptimizationProfile[] {
  const open = graph.inputs.filter(({ dims }) => dims.some((dim) => typeof dim === 'string'))
  if (open.length === 0) return []
  if (profiles.length === 0)
    throw new Error(`${graph.name} has open sizes (input ${open[0]!.name}) and no profile`)
  return profiles.map((profile) =>
    Object.fromEntries(
      open.map(({ name, dims }) => {
        const of = (which: 0 | 1 | 2) =>
          dims.map((dim) => (typeof dim === 'number' ? dim : range(graph.name, profile, dim)[which]))
        return [name, { min: of(0), opt: of(1), max: of(2) }]
      }),
    ),
  )
}

function range(graph: string, { name, sizes }: Profile, symbol: string): readonly [number, number, number] {
  const found = sizes[symbol]
  if (!found) throw new Error(`${graph}: the profile ${name} has no sizes for ${symbol}`)
  const [least, likeliest, most] = found
  if (!(least <= likeliest && likeliest <= most))
    throw new Error(`${graph}: the profile ${name} has ${symbol} from ${least} over ${likeliest} to ${most}`)
  return found
}
