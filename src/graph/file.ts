/** A graph as files: `<name>.onnx` in ONNX's protobuf and `<name>.data` with the large constants. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { rounded } from './halves.js'
import {
  attributeTypes,
  type DType,
  dataTypes,
  encodeModel,
  type StoredType,
  type Target,
  versions,
} from './onnx.js'

/** A symbol for a size known only at run time, or the size. */
export type Dim = number | string

/** A tensor as nodes name it; an output that is left out has the name ''. */
export interface Typed {
  readonly name: string
  readonly dtype: DType
}
export type Attribute = number | string | readonly number[] | { float: number } | Branch
export type Attributes = Readonly<Record<string, Attribute | undefined>>
/** Makes a constant's numbers: of its type, or float32 for the shorter float types. */
export type Data = () => ArrayBufferView

export interface Node {
  readonly type: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly (Typed | null)[]
  readonly outputs: readonly Typed[]
  readonly attributes: Attributes
}
/** Nodes that run only where a node around them says so; what they make has these names. They may read all around them. */
export interface Branch {
  readonly nodes: readonly Node[]
  readonly results: readonly Typed[]
}
export interface Initializer {
  readonly value: Typed
  readonly dims: readonly number[]
  readonly data: Data
  readonly bytes: number
}

/** One named tensor at a graph's border. */
export interface Binding {
  readonly name: string
  readonly dtype: Exclude<DType, StoredType>
  readonly dims: readonly Dim[]
}

/** All that is written of a graph. */
export interface GraphContent {
  readonly name: string
  readonly target: Target
  readonly nodes: readonly Node[]
  readonly initializers: readonly Initializer[]
  readonly inputs: readonly Binding[]
  readonly outputs: readonly Binding[]
}

/** Tensors up to this size stay inside the .onnx file; larger ones go to the data file beside it. */
const INLINE_BYTES = 1024
/** Page alignment lets ONNX Runtime map the data file instead of reading it. */
const ALIGNMENT = 4096

/** Writes `<name>.onnx` and `<name>.data` to `folder`, one tensor in memory at a time. */
export function writeModel(folder: string, graph: GraphContent, onBytes: (bytes: number) => void): void {
  const dataFile = `${graph.name}.data`
  const fd = openSync(join(folder, dataFile), 'w')
  let offset = 0
  const tensors = []
  try {
    for (const { value, dims, data, bytes } of graph.initializers) {
      const view = rounded(data(), value.dtype)
      if (view.byteLength !== bytes)
        throw new Error(`${value.name}: ${view.byteLength} bytes for ${value.dtype} [${dims}]`)
      const raw = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      const tensor = { name: value.name, dims, dataType: dataTypes[value.dtype] }
      if (bytes <= INLINE_BYTES) tensors.push({ ...tensor, rawData: raw.slice() })
      else {
        offset = Math.ceil(offset / ALIGNMENT) * ALIGNMENT
        for (let done = 0; done < bytes; ) done += writeSync(fd, raw, done, bytes - done, offset + done)
        const where = { location: dataFile, offset: String(offset), length: String(bytes) }
        const externalData = Object.entries(where).map(([key, value]) => ({ key, value }))
        tensors.push({ ...tensor, externalData, dataLocation: 1 })
        offset += bytes
      }
      onBytes(bytes)
    }
  } finally {
    closeSync(fd)
  }
  writeFileSync(join(folder, `${graph.name}.onnx`), encodeModel(modelProto(graph, tensors)))
}

function modelProto(graph: GraphContent, initializer: object[]): object {
  const domains = new Set(withBranches(graph.nodes).flatMap(({ domain }) => domain || []))
  return {
    irVersion: versions[graph.target].ir,
    producerName: 'simple-audio-service',
    opsetImport: [
      { domain: '', version: versions[graph.target].opset },
      ...[...domains].map((domain) => ({ domain, version: 1 })),
    ],
    graph: {
      name: graph.name,
      node: graph.nodes.map(nodeProto),
      initializer,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    },
  }
}

/** Nodes, and those within them. */
export function withBranches(nodes: readonly Node[]): Node[] {
  const branches = nodes.flatMap(({ attributes }) => Object.values(attributes).filter(isBranch))
  return [...nodes, ...branches.flatMap((branch) => withBranches(branch.nodes))]
}

const isBranch = (value: Attribute | undefined): value is Branch =>
  typeof value === 'object' && 'results' in value

const nodeProto = ({ name, type, domain, inputs, outputs, attributes }: Node): object => ({
  name,
  opType: type,
  domain,
  input: inputs.map((value) => value?.name ?? ''),
  output: outputs.map((value) => value.name),
  attribute: Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [attribute(name, value)],
  ),
})

function attribute(name: string, value: Attribute): object {
  if (isBranch(value)) return { name, type: attributeTypes.GRAPH, g: branchProto(name, value) }
  if (typeof value === 'string') return { name, type: attributeTypes.STRING, s: Buffer.from(value) }
  if (typeof value === 'number') return { name, type: attributeTypes.INT, i: value }
  if ('float' in value) return { name, type: attributeTypes.FLOAT, f: value.float }
  return { name, type: attributeTypes.INTS, ints: value }
}

const branchProto = (name: string, { nodes, results }: Branch): object => ({
  name,
  node: nodes.map(nodeProto),
  output: results.map(({ name, dtype }) => ({ name, type: { tensorType: { elemType: dataTypes[dtype] } } })),
})

function valueInfo({ name, dtype, dims }: Binding): object {
  const dim = dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }))
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } }
}
