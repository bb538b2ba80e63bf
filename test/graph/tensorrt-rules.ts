/**
 * What TensorRT refuses, or takes and computes otherwise than meant, found before it is asked: every graph that we
 * write for it is held against these rules.
 */
import type { Initializer, Node, Typed } from '#src/graph/file.js'
import type { Binding } from '#src/graph/graph.js'
import { rounded } from '#src/graph/halves.js'
import type { PlannedGraph } from '#src/models/plan.js'
import { letters, type Operator, operators } from './tensorrt-operators.js'

const MOST_TOP_K = 3840

interface Known {
  readonly constants: ReadonlyMap<string, Initializer>
  readonly inputs: ReadonlyMap<string, Binding>
  readonly outputs: ReadonlySet<string>
  /** Nodes that read a value. */
  readonly readers: ReadonlyMap<string, readonly Node[]>
  /** Values whose numbers follow from constants and sizes alone. */
  readonly fromSizes: ReadonlySet<string>
}

/** Every breach of the rules in a planned graph, each a sentence that begins with the node or tensor at fault. */
export function violations(planned: PlannedGraph): string[] {
  const { nodes, initializers, inputs, outputs } = planned.graph.content
  const readers = new Map<string, Node[]>()
  const fromSizes = new Set(initializers.map(({ value }) => value.name))
  for (const node of nodes) {
    const operands = node.inputs.filter((input) => input !== null)
    for (const { name } of operands) readers.set(name, [...(readers.get(name) ?? []), node])
    if (node.type === 'Shape' || operands.every(({ name }) => fromSizes.has(name)))
      for (const { name } of node.outputs) fromSizes.add(name)
  }
  const known: Known = {
    constants: new Map(initializers.map((initializer) => [initializer.value.name, initializer])),
    inputs: new Map(inputs.map((input) => [input.name, input])),
    outputs: new Set(outputs.map(({ name }) => name)),
    readers,
    fromSizes,
  }
  return [
    ...nodes.flatMap((node) =>
      [...operatorRules(node, known), ...(special[node.type]?.(node, known) ?? [])].map(
        (text) => `${node.name}: ${text}`,
      ),
    ),
    ...initializers.flatMap((initializer) => constantRules(initializer, known)),
    ...borderRules(planned, known),
  ]
}

/** That the operator is in the table, with these types and attributes, and makes no sizes out of data. */
function operatorRules(node: Node, { fromSizes }: Known): string[] {
  const operator = operators[node.type]
  if (!operator) return [`TensorRT has no operator ${node.domain}.${node.type}, or not for us`]
  const { inputs, outputs } = node
  const found = [
    ...typeRules('input', inputs, operator.inputs, operator, inputs),
    ...typeRules('output', outputs, operator.outputs, operator, inputs),
  ]
  if (node.domain !== (node.type.startsWith('TRT_') ? 'trt' : ''))
    found.push(`${node.type} is not of the domain "${node.domain}"`)
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value === undefined) continue
    const values = operator.attributes[name]
    if (values === undefined) found.push(`${node.type} may not have the attribute ${name}`)
    else if (values && !values.includes(value as string)) found.push(`${name} may not be ${value}`)
  }
  for (const i of operator.sizes ?? []) {
    const operand = inputs[i]
    if (operand && !fromSizes.has(operand.name))
      found.push(`input ${i} makes the result's size depend on data (${operand.name})`)
  }
  return found
}

/** Operands against their letters; T is the type of the first input that has this letter. */
function typeRules(
  kind: string,
  operands: readonly (Typed | null)[],
  pattern: string,
  { T, inputs }: Operator,
  nodeInputs: readonly (Typed | null)[],
): string[] {
  const required = pattern.split('?')[0]!.replace('+', '').length
  const sequence = pattern.replace(/[?+]/g, '')
  const many = pattern.includes('+')
  const firstT = nodeInputs[inputs.replace(/[?+]/g, '').indexOf('T')]
  const found = []
  if (operands.length < required || (operands.length > sequence.length && !many))
    found.push(`${operands.length} ${kind}s, not ${pattern}`)
  for (const [i, operand] of operands.entries()) {
    const letter = sequence[Math.min(i, sequence.length - 1)]!
    if (!operand || operand.name === '') {
      if (i < required) found.push(`${kind} ${i} is missing`)
      continue
    }
    if (letter === '*') continue
    const { dtype } = operand
    if (letter !== 'T') {
      if (!letters[letter]!.includes(dtype))
        found.push(`${kind} ${i} is ${dtype}, not ${letters[letter]!.join(' or ')}`)
    } else if (dtype !== firstT?.dtype)
      found.push(`${kind} ${i} is ${dtype} among ${firstT?.dtype}: types are mixed`)
    else if (!T.includes(dtype)) found.push(`${kind} ${i} may not be ${dtype}`)
  }
  return found
}

/** What single operators want beyond their types. */
const special: Readonly<Record<string, (node: Node, known: Known) => string[]>> = {
  TopK({ inputs }, { constants }) {
    const k = constants.get(inputs[1]!.name)
    if (!k) return ['k is no constant']
    const [count] = k.data() as BigInt64Array
    return count! <= MOST_TOP_K ? [] : [`k is ${count}, more than ${MOST_TOP_K}`]
  },
  CumSum: ({ inputs }, { constants }) => (constants.has(inputs[1]!.name) ? [] : ['the axis is no constant']),
  TRT_Attention({ inputs, attributes }) {
    const found = []
    if (inputs[0]!.dtype === 'float32' && attributes.TRT_decomposable !== 1)
      found.push('no kernel attends in float32: it has to be decomposable')
    if (inputs[3] && attributes.causal_kind !== 'none') found.push('a mask excludes causal_kind')
    return found
  },
  TRT_KVCacheUpdate({ inputs, outputs }, known) {
    const cache = inputs[0]!.name
    const input = known.inputs.get(cache)
    const found = []
    if (!input) found.push(`the cache ${cache} is no input of the graph`)
    else if (input.dims.length !== 4 || input.dims.slice(1).some((dim) => typeof dim !== 'number'))
      found.push(`the cache ${cache} has sizes [${input.dims}]: all but the batch must be fixed`)
    if (!known.outputs.has(outputs[0]!.name)) found.push('the cache is no output of the graph')
    if (known.readers.get(cache)!.length > 1)
      found.push(`the cache ${cache} is read by others, though it is written in place`)
    return found
  },
  DequantizeLinear({ inputs, attributes }, { constants }) {
    const [data, scale] = inputs.map((input) => input && constants.get(input.name))
    if (!data || !scale) return ['numbers and scales must be constants']
    const found = []
    if (!(rounded(scale.data(), 'float32') as Float32Array).every((value) => value > 0 && value < Infinity))
      found.push('scales must be above zero, and finite')
    if (data.value.dtype === 'int4' && data.dims.at(-1)! % 2 !== 0)
      found.push(`rows of ${data.dims.at(-1)} int4 end within a byte`)
    if (scale.dims.length <= 1) {
      const wanted = scale.dims.length === 0 ? undefined : data.dims[Number(attributes.axis ?? 1)]
      if (scale.dims[0] !== wanted) found.push(`${scale.dims} scales for [${data.dims}]`)
      return found
    }
    const ratios = data.dims.map((size, i) => size / (scale.dims[i] ?? Number.NaN))
    if (scale.dims.length !== data.dims.length || !ratios.every(Number.isInteger))
      found.push(`scales [${scale.dims}] do not divide [${data.dims}] into blocks`)
    else if (ratios.filter((ratio) => ratio > 1).length !== 1)
      found.push(`scales [${scale.dims}] make blocks along more or fewer than one axis of [${data.dims}]`)
    else if (Math.max(...ratios) !== attributes.block_size)
      found.push(`block_size ${attributes.block_size}, but scales for ${Math.max(...ratios)}`)
    return found
  },
}

/** Numbers of a stored type are only for DequantizeLinear. */
function constantRules({ value, dims }: Initializer, { readers }: Known): string[] {
  const { name, dtype } = value
  if (!letters.q!.includes(dtype)) return []
  const others = (readers.get(name) ?? []).filter(({ type }) => type !== 'DequantizeLinear')
  const found = others.map(({ type }) => `${name}: ${dtype} numbers may not feed ${type}`)
  if (dtype === 'int4' && dims.reduce((a, b) => a * b, 1) % 2 !== 0)
    found.push(`${name}: an odd number of int4`)
  return found
}

function borderRules(
  { graph, state = [], stateRows, resident = [], profiles = [] }: PlannedGraph,
  known: Known,
): string[] {
  const { inputs, outputs } = graph.content
  const kept = new Set([...state.flatMap(({ past, fresh }) => [past, fresh]), ...resident])
  const found = []
  for (const { name, dtype } of [...inputs, ...outputs])
    if (!kept.has(name) && !['float32', 'int64'].includes(dtype))
      found.push(`${name}: ${dtype} crosses the border, where all is float32 or int64`)
  for (const { name } of inputs) {
    if (known.outputs.has(name)) found.push(`${name}: an input and an output share the name`)
    if (!known.readers.has(name)) found.push(`${name}: an input that nothing reads`)
  }
  const rows = new Map([...inputs, ...outputs].map(({ name, dims }) => [name, dims[2]]))
  for (const { past, fresh } of state)
    for (const name of [past, fresh])
      if (rows.get(name) !== stateRows)
        found.push(`${name}: ${rows.get(name)} rows, not the ${stateRows} of the state`)
  const symbols = new Set(inputs.flatMap(({ dims }) => dims.filter((dim) => typeof dim === 'string')))
  if (symbols.size > 0 && profiles.length === 0)
    found.push(`${graph.name}: no profile for the sizes ${[...symbols]}`)
  for (const { name, sizes } of profiles)
    for (const symbol of symbols) {
      const [least, likeliest, most] = sizes[symbol] ?? [1, 0, 0]
      if (!(least >= 0 && least <= likeliest && likeliest <= most))
        found.push(
          `${graph.name}: the profile ${name} has ${symbol} from ${least} over ${likeliest} to ${most}`,
        )
    }
  return found
}
