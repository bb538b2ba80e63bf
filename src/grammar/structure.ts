/** Automata drawn by hand as a graph, not deterministic: the punctuation of JSON, with calls to the values in it. */
import type { Pool } from './pool.js'
import { type Call, type Callee, State } from './state.js'

let nodes = 0

/** A place in a graph. Its ways out are drawn when it is first reached, so that a graph may be endless. */
export class Node {
  readonly id = ++nodes
  /** Whether the text may end here. */
  isFinal = false
  /** Whether any special token is passed over here. */
  anySpecial = false
  readonly edges: { readonly low: number; readonly high: number; readonly to: Node }[] = []
  readonly specials: { readonly token: number; readonly to: Node }[] = []
  readonly empties: Node[] = []
  readonly calls: { readonly callee: Callee; readonly to: Node }[] = []

  constructor(private draw?: (node: Node) => void) {}

  drawn(): this {
    const draw = this.draw
    this.draw = undefined
    draw?.(this)
    return this
  }

  static final(): Node {
    const node = new Node()
    node.isFinal = true
    return node
  }

  on(low: number, to: Node, high = low): this {
    this.edges.push({ low, high, to })
    return this
  }

  /** From here, `bytes` lead to `to`. */
  path(bytes: Uint8Array, to: Node): this {
    let from: Node = this
    for (const [index, byte] of bytes.entries()) {
      const next = index === bytes.length - 1 ? to : new Node()
      from.on(byte, next)
      from = next
    }
    return bytes.length === 0 ? this.empty(to) : this
  }

  special(token: number, to: Node): this {
    this.specials.push({ token, to })
    return this
  }

  empty(to: Node): this {
    this.empties.push(to)
    return this
  }

  call(callee: Callee, to: Node): this {
    this.calls.push({ callee, to })
    return this
  }
}

/** The deterministic state of these places. */
export function structureState(places: Iterable<Node>, pool: Pool): State {
  const reached = new Set<Node>()
  const waiting = [...places]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (reached.has(node)) continue
    reached.add(node.drawn())
    waiting.push(...node.empties)
  }
  const ordered = [...reached].sort((a, b) => a.id - b.id)
  return pool.get(`n${ordered.map(({ id }) => id).join()}`, () => new StructureState(ordered, pool))
}

class StructureState extends State {
  readonly accepts: boolean
  readonly reads: boolean
  override readonly anySpecial: boolean
  #calls: readonly Call[] | undefined

  constructor(
    private readonly places: readonly Node[],
    private readonly pool: Pool,
  ) {
    super()
    this.accepts = places.some(({ isFinal }) => isFinal)
    this.anySpecial = places.some(({ anySpecial }) => anySpecial)
    this.reads = this.anySpecial || places.some((node) => node.edges.length > 0 || node.specials.length > 0)
  }

  override get calls(): readonly Call[] {
    if (this.#calls) return this.#calls
    const targets = new Map<Callee, Node[]>()
    for (const { callee, to } of this.places.flatMap((node) => node.calls)) {
      const known = targets.get(callee)
      if (known) known.push(to)
      else targets.set(callee, [to])
    }
    this.#calls = [...targets].map(([callee, to]) => ({ callee, behind: structureState(to, this.pool) }))
    return this.#calls
  }

  override get specials(): readonly number[] {
    return this.places.flatMap((node) => node.specials.map(({ token }) => token))
  }

  override nextSpecial(token: number): State | null {
    const to = this.places.flatMap((node) => node.specials.filter((edge) => edge.token === token))
    if (to.length > 0) return this.at(to.map((edge) => edge.to))
    return this.at(this.places.filter(({ anySpecial }) => anySpecial))
  }

  override forget(): void {
    super.forget()
    this.#calls = undefined
  }

  read(byte: number): State | null {
    const to: Node[] = []
    for (const { edges } of this.places)
      for (const edge of edges) if (edge.low <= byte && byte <= edge.high) to.push(edge.to)
    return this.at(to)
  }

  private at(places: readonly Node[]): State | null {
    return places.length === 0 ? null : structureState(places, this.pool)
  }
}
