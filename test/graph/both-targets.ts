/** Small graphs in the form that each runtime gets, to compare their numbers; TensorRT's run in their portable form. */
import {
  type Dim,
  type FloatType,
  Graph,
  type LinearForm,
  type Value,
  type WeightSource,
} from '#src/graph/graph.js'
import type { PlannedGraph } from '#src/models/plan.js'
import type { Feeds, HostTensor } from '#src/runtime/session.js'
import { evaluate, noWeights } from './evaluate.js'
import { openPortable } from './portable-session.js'
import { violations } from './tensorrt-rules.js'

type Build = (g: Graph, inputs: Record<string, Value>) => Record<string, readonly [Value, readonly Dim[]]>

export interface Options {
  weights?: WeightSource
  linear?: LinearForm
  float?: FloatType
  /** Whether the halves of a graph in `float` are rounded. */
  rounding?: boolean
}

/** What `build` returns, by its keys, in TensorRT's form; floats come in and go out as float32. */
export async function evaluateTensorrt(
  feeds: Feeds,
  build: Build,
  { rounding = false, weights = noWeights, ...options }: Options = {},
): Promise<Record<string, HostTensor>> {
  const graph = new Graph('test', { weights, target: 'tensorrt', ...options })
  const sizes: Record<string, readonly [number, number, number]> = {}
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims }]) => {
      const symbols = dims.map((size, axis) => {
        const symbol = `${name}_${axis}`
        sizes[symbol] = [1, size, size]
        return symbol
      })
      const input = graph.input(name, dtype, symbols)
      return [name, dtype === 'float32' ? graph.asFloat(input) : input]
    }),
  )
  for (const [name, [value, dims]] of Object.entries(build(graph, inputs)))
    graph.output(name, value.dtype === graph.float ? graph.cast(value, 'float32') : value, dims)
  const planned: PlannedGraph = { graph, profiles: [{ name: 'any', sizes }] }
  const found = violations(planned)
  if (found.length > 0) throw new Error(found.join('\n'))
  const session = await openPortable(planned, { rounding })
  try {
    return { ...(await session.run(feeds)) }
  } finally {
    await session.dispose()
  }
}

/** The same in both forms, in float32. */
export async function bothTargets(
  feeds: Feeds,
  build: Build,
  weights: WeightSource = noWeights,
): Promise<readonly [Record<string, HostTensor>, Record<string, HostTensor>]> {
  return [await evaluate(feeds, build, { weights }), await evaluateTensorrt(feeds, build, { weights })]
}
