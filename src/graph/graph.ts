/**
 * A small typed ONNX writer. A graph grows by operators (ops.ts) and blocks; weights are found by where we
 * stand: inside `scope('layers.0')` the name `mlp.fc1.weight` is the checkpoint's `layers.0.mlp.fc1.weight`.
 */
import {
  type Attributes,
  type Binding,
  type Branch,
  type Data,
  type Dim,
  type GraphContent,
  type Initializer,
  type Node,
  withBranches,
  writeModel,
} from './file.js'
import { type DType, dataTypes, elementBytes, packed, type Target } from './onnx.js'
import type { Weight, WeightSource } from './weight.js'

export type { Attributes, Binding, Dim, GraphContent } from './file.js'
export type { Target } from './onnx.js'
export type { Weight, WeightSource } from './weight.js'

/** A tensor in the graph. Its name may change once: when it becomes an output. */
export class Value {
  constructor(
    readonly graph: Graph,
    public name: string,
    readonly dtype: DType,
  ) {}
}

/** How the linear layers of a graph compute; linear.ts says what each form costs. */
export type CpuLinearForm = 'float32' | 'int8-blocks' | 'int8-bytes' | 'int8-digits'
export type LinearForm = CpuLinearForm | 'int8' | 'int4' | 'fp8'

/** What a graph computes in. Strong typing: an operator's operands are all of one type. */
export type FloatType = 'float32' | 'float16' | 'bfloat16'

export interface GraphOptions {
  weights: WeightSource
  /** onnxruntime if absent. */
  target?: Target
  /** float32 if absent; on ONNX Runtime for quantised weights alone: float ones multiply in the graph's float type. */
  linear?: LinearForm
  /** float32 if absent, and always on ONNX Runtime's CPU. */
  float?: FloatType
}

export class Graph {
  readonly inputs: Binding[] = []
  readonly outputs: Binding[] = []
  /** Full names of the checkpoint's tensors that the graph has asked for. */
  readonly used = new Set<string>()
  readonly linear: LinearForm
  readonly target: Target
  private floatType: FloatType
  private nodes: Node[] = []
  private readonly initializers: Initializer[] = []
  private readonly outputValues = new Set<Value>()
  private made = new Map<Value | this, Map<string, unknown>>()
  private readonly constants = new Map<string, Value>()
  private readonly counts = new Map<string, number>()
  private path: string[] = []

  constructor(
    readonly name: string,
    private readonly options: GraphOptions,
  ) {
    this.linear = options.linear ?? 'float32'
    this.target = options.target ?? 'onnxruntime'
    this.floatType = options.float ?? 'float32'
  }

  /** The type of weights and float constants here: the graph's, or float32 within {@link float32}. */
  get float(): FloatType {
    return this.floatType
  }

  /**
   * An island of float32 for what halves can not hold (sums over long signals, phases, exponentials): `build` gets the
   * values as float32 and its result comes back in the type around it. In a float32 graph it adds nothing.
   */
  float32(values: readonly Value[], build: (...values: Value[]) => Value): Value {
    return this.asFloat(
      this.within('float32', () => build(...values.map((value) => this.cast(value, 'float32')))),
    )
  }

  /** Runs `build` with weights and constants of the type `float`; what comes out keeps its type. */
  within<T>(float: FloatType, build: () => T): T {
    const around = this.floatType
    this.floatType = float
    try {
      return build()
    } finally {
      this.floatType = around
    }
  }

  /** `value` as `to`; itself if it is. */
  cast(value: Value, to: DType): Value {
    if (value.dtype === to) return value
    return this.memo(value, `as ${to}`, () => this.op('Cast', [value], { to: dataTypes[to] }, { dtype: to }))
  }

  /** `value` in the type that the graph computes in here. */
  asFloat(value: Value): Value {
    return this.cast(value, this.floatType)
  }

  /** Runs `build` with the checkpoint's names (and the nodes') below `name`. */
  scope<T>(name: string, build: () => T): T {
    this.path.push(name)
    try {
      return build()
    } finally {
      this.path.pop()
    }
  }

  /** The full name of `name` at the present scope. */
  at(name: string): string {
    return [...this.path, name].join('.')
  }

  input(name: string, dtype: Binding['dtype'], dims: readonly Dim[]): Value {
    this.inputs.push({ name, dtype, dims })
    return new Value(this, name, dtype)
  }

  /** Makes `value` an output called `name`. The node that makes it is renamed: no copy. */
  output(name: string, value: Value, dims: readonly Dim[]): void {
    const renamable = this.nodes.some((node) => node.outputs.includes(value)) && !this.outputValues.has(value)
    const result = renamable ? value : this.op('Identity', [value])
    result.name = name
    this.outputValues.add(result)
    this.outputs.push({ name, dtype: value.dtype as Binding['dtype'], dims })
  }

  hasWeight(name: string): boolean {
    return this.options.weights.has(this.at(name))
  }

  /** The checkpoint's tensor called `name` at this scope, for blocks that lay it out their own way. */
  tensor(name: string): Weight {
    const full = this.at(name)
    this.used.add(full)
    return this.options.weights.tensor(full)
  }

  /** The checkpoint's tensor called `name` at this scope in the float type here, optionally of other dimensions. */
  weight(name: string, dims?: readonly number[]): Value {
    const tensor = this.tensor(name)
    const full = this.at(name)
    const { float } = this
    return this.constantOnce(`weight ${full} ${float} ${dims ?? ''}`, () =>
      this.initializer(full, float, dims ?? tensor.dims, () => tensor.floats()),
    )
  }

  /** A constant tensor whose data is made when the file is written; float32 numbers are rounded to a shorter `dtype`. */
  initializer(name: string, dtype: DType, dims: readonly number[], data: Data): Value {
    const value = new Value(this, this.unique(name), dtype)
    const bytes = dims.reduce((a, b) => a * b, 1) * elementBytes[dtype]
    this.initializers.push({ value, dims, data, bytes })
    return value
  }

  /** A small constant; equal ones are made once. */
  constant(dtype: DType, dims: readonly number[], numbers: readonly number[]): Value {
    return this.constantOnce(`constant ${dtype} ${dims} ${numbers}`, () =>
      this.initializer('constant', dtype, dims, () => packed(dtype, numbers)),
    )
  }

  /** A constant of rank 0. */
  scalar(dtype: DType, value: number): Value {
    return this.constant(dtype, [], [value])
  }

  /** A node with one output. `dtype`: that of the output, when it is not the first input's. */
  op(
    type: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    { domain = '', dtype }: { domain?: string; dtype?: DType } = {},
  ): Value {
    const first = inputs.find((input) => input !== null)
    const outputType = dtype ?? first?.dtype
    if (!outputType) throw new Error(`${type}: the output's type is unknown`)
    return this.ops(type, inputs, [outputType], attributes, domain)[0]!
  }

  /** A node with several outputs, of the types given; null leaves an optional one out. */
  ops(
    type: string,
    inputs: readonly (Value | null)[],
    outputs: readonly (DType | null)[],
    attributes: Attributes = {},
    domain = '',
  ): Value[] {
    const name = this.unique(this.at(type))
    const values = outputs.map(
      (dtype, i) =>
        new Value(this, dtype === null ? '' : i === 0 ? name : `${name}:${i}`, dtype ?? 'float32'),
    )
    for (const input of inputs)
      if (input && input.graph !== this) throw new Error(`${name}: an input belongs to another graph`)
    this.nodes.push({ type, domain, name, inputs, outputs: values, attributes })
    return values
  }

  /** What was made under `key` in this graph before, or `make()`: constants are stored once. */
  once<T>(key: string, make: () => T): T {
    return this.memo(this, key, make)
  }

  /** What was made of `value` under `key` before, or `make()`: work shared by several layers, done once. */
  memo<T>(value: Value | this, key: string, make: () => T): T {
    const known = this.made.get(value) ?? new Map<string, unknown>()
    this.made.set(value, known)
    if (!known.has(key)) known.set(key, make())
    return known.get(key) as T
  }

  /**
   * One of two ways to the same values, of which only one is run: `yes` where `condition`, a bool of rank 0, holds, else
   * `no`. What either makes on its way is known within it only.
   */
  either(condition: Value, yes: () => readonly Value[], no: () => readonly Value[]): Value[] {
    const [then, otherwise] = [this.branch(yes), this.branch(no)]
    const types = then.results.map(({ dtype }) => dtype)
    if (String(types) !== String(otherwise.results.map(({ dtype }) => dtype)))
      throw new Error(`${this.at('If')}: its two ways lead to values of different types`)
    return this.ops('If', [condition], types, { then_branch: then, else_branch: otherwise })
  }

  private branch(build: () => readonly Value[]): Branch {
    const { nodes, made } = this
    this.nodes = []
    this.made = new Map([...made].map(([of, known]) => [of, new Map(known)]))
    try {
      const results = build()
      const own = new Set(this.nodes.flatMap(({ outputs }) => outputs))
      if (!results.every((result) => own.has(result)))
        throw new Error(`${this.at('If')}: a way that only passes on what was there`)
      return { nodes: this.nodes, results }
    } finally {
      this.nodes = nodes
      this.made = made
    }
  }

  /** The number of nodes, those of either way included: at one row per step they bound the speed. */
  get size(): number {
    return withBranches(this.nodes).length
  }

  /** Bytes of all constants: what {@link write} will report as progress in sum. */
  get bytes(): number {
    return this.initializers.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Writes `<name>.onnx` and, beside it, `<name>.data` with the large constants, one tensor in memory at a time. */
  write(folder: string, onBytes: (bytes: number) => void = () => {}): void {
    writeModel(folder, this.content, onBytes)
  }

  /** All that {@link write} writes. */
  get content(): GraphContent {
    const { name, target, nodes, initializers, inputs, outputs } = this
    return { name, target, nodes, initializers, inputs, outputs }
  }

  private constantOnce(key: string, make: () => Value): Value {
    const constant = this.constants.get(key) ?? make()
    this.constants.set(key, constant)
    return constant
  }

  private unique(name: string): string {
    const count = this.counts.get(name) ?? 0
    this.counts.set(name, count + 1)
    return count === 0 ? name : `${name}#${count}`
  }
}
