/** JSON Schema (draft 2020-12), read and checked keyword by keyword. */
import { Refusal } from './refusal.js'
import type { Effort } from './text-automaton.js'

export const typeNames = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
export type TypeName = (typeof typeNames)[number]

/** A subschema: its keywords, checked; absent ones undefined, or empty lists. */
export interface SchemaNode {
  readonly pointer: string
  /** `false`: nothing is valid. */
  readonly never: boolean
  readonly types: readonly TypeName[] | undefined
  /** Of `enum` or `const`. */
  readonly values: Values | undefined
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  readonly pattern: string | undefined
  readonly format: string | undefined
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: number | undefined
  readonly exclusiveMaximum: number | undefined
  readonly multipleOf: number | undefined
  readonly properties: ReadonlyMap<string, SchemaNode>
  readonly required: readonly string[]
  readonly additionalProperties: SchemaNode | undefined
  readonly prefixItems: readonly SchemaNode[]
  readonly items: SchemaNode | undefined
  readonly minItems: number | undefined
  readonly maxItems: number | undefined
  /** What `$ref` points to, read when asked for. */
  readonly ref: (() => SchemaNode) | undefined
  readonly allOf: readonly SchemaNode[]
  readonly anyOf: readonly SchemaNode[]
  readonly oneOf: readonly SchemaNode[]
}

/** Keywords that say nothing of what is valid, or only name a place. */
const annotations = new Set(
  `title description default example examples deprecated readOnly writeOnly discriminator contentEncoding contentMediaType
   contentSchema $schema $id id $comment $defs definitions`.split(/\s+/),
)

const mostNodes = 20_000
const mostDepth = 200
/** In characters: every subschema is named by the names of all around it. */
const longestPointer = 10_000

/** Reads subschemas as they are asked for; each place once. */
export class SchemaReader {
  private readonly nodes = new Map<string, SchemaNode>()

  constructor(
    private readonly root: unknown,
    /** Whether what can not be followed is refused; otherwise it is left out of account. */
    readonly strict: boolean,
  ) {}

  get first(): SchemaNode {
    return this.node(this.root, '#')
  }

  private node(value: unknown, pointer: string): SchemaNode {
    const known = this.nodes.get(pointer)
    if (known) return known
    if (this.nodes.size === mostNodes)
      throw new Refusal(pointer, `is one of more than ${mostNodes} subschemas`)
    if (pointer.length > longestPointer)
      throw new Refusal(
        `${pointer.slice(0, 100)}…`,
        `is below names of more than ${longestPointer} characters`,
      )
    if (pointer.split('/').length > mostDepth) throw new Refusal(pointer, 'is nested too deeply')
    if (typeof value !== 'boolean' && !isObject(value))
      throw new Refusal(pointer, 'must be an object or a boolean')
    const node = this.read(value === true ? {} : value === false ? undefined : value, pointer)
    this.nodes.set(pointer, node)
    return node
  }

  private read(schema: JsonObject | undefined, pointer: string): SchemaNode {
    const keywords = new Keywords(schema ?? {}, pointer)
    const child = (value: unknown, ...path: (string | number)[]) =>
      this.node(value, [pointer, ...path.map(escaped)].join('/'))
    const list = (keyword: string): readonly SchemaNode[] =>
      (keywords.list(keyword) ?? []).map((item, index) => child(item, keyword, index))
    const maybe = (keyword: string): SchemaNode | undefined => {
      const value = keywords.take(keyword)
      return value === undefined ? undefined : child(value, keyword)
    }
    const ref = keywords.text('$ref')
    const type = keywords.take('type')
    const node: SchemaNode = {
      pointer,
      never: schema === undefined,
      types: type === undefined ? undefined : typesOf(type, pointer),
      values: keywords.values(),
      minLength: keywords.count('minLength'),
      maxLength: keywords.count('maxLength'),
      pattern: keywords.text('pattern'),
      format: keywords.text('format'),
      minimum: keywords.number('minimum'),
      maximum: keywords.number('maximum'),
      exclusiveMinimum: keywords.number('exclusiveMinimum'),
      exclusiveMaximum: keywords.number('exclusiveMaximum'),
      multipleOf: keywords.number('multipleOf'),
      properties: new Map(
        Object.entries(keywords.object('properties') ?? {}).map(([name, value]) => [
          name,
          child(value, 'properties', name),
        ]),
      ),
      required: keywords.names('required'),
      additionalProperties: maybe('additionalProperties'),
      prefixItems: list('prefixItems'),
      items: maybe('items'),
      minItems: keywords.count('minItems'),
      maxItems: keywords.count('maxItems'),
      ref: ref === undefined ? undefined : () => this.referred(ref, pointer),
      allOf: list('allOf'),
      anyOf: list('anyOf'),
      oneOf: list('oneOf'),
    }
    for (const keyword of this.strict ? keywords.untaken : [])
      throw new Refusal(pointer, `has the keyword "${keyword}", which is not supported`)
    return node
  }

  private referred(ref: string, pointer: string): SchemaNode {
    if (!/^#(\/|$)/.test(ref))
      throw new Refusal(
        pointer,
        `has the $ref "${ref}": only references within the schema ("#/$defs/…") are supported`,
      )
    const path = ref.split('/').slice(1).map(unescaped)
    let value: unknown = this.root
    for (const name of path)
      value =
        (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, name)
          ? value[name as never]
          : undefined
    if (value === undefined) throw new Refusal(pointer, `has the $ref "${ref}", which points to nothing`)
    return this.node(value, ['#', ...path.map(escaped)].join('/'))
  }
}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const escaped = (name: string | number) => String(name).replaceAll('~', '~0').replaceAll('/', '~1')

function unescaped(name: string): string {
  const decoded = name.replace(/(%[0-9a-fA-F]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  )
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

function typesOf(type: unknown, pointer: string): readonly TypeName[] {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type]
  for (const name of names)
    if (!typeNames.includes(name as TypeName))
      throw new Refusal(
        pointer,
        `has the type ${JSON.stringify(name)}: there are only ${typeNames.join(', ')}`,
      )
  return names as readonly TypeName[]
}

/** The keywords of one subschema, each taken once and checked. */
class Keywords {
  private readonly taken = new Set<string>()

  constructor(
    private readonly schema: JsonObject,
    private readonly pointer: string,
  ) {}

  take(keyword: string): unknown {
    this.taken.add(keyword)
    return Object.hasOwn(this.schema, keyword) ? this.schema[keyword] : undefined
  }

  get untaken(): string[] {
    return Object.keys(this.schema).filter(
      (keyword) => !this.taken.has(keyword) && !annotations.has(keyword) && !keyword.startsWith('x-'),
    )
  }

  values(): Values | undefined {
    const list = this.list('enum')
    const values = list && new Values(list)
    if (!Object.hasOwn(this.schema, 'const')) return values
    const constant = this.take('const')
    return new Values(!values || values.has(constant) ? [constant] : [])
  }

  text(keyword: string): string | undefined {
    return this.checked(keyword, (value) => typeof value === 'string', 'a string')
  }

  number(keyword: string): number | undefined {
    return this.checked(keyword, (value) => Number.isFinite(value), 'a number')
  }

  count(keyword: string): number | undefined {
    return this.checked(keyword, (value) => Number.isInteger(value) && Number(value) >= 0, 'a whole number')
  }

  list(keyword: string): readonly unknown[] | undefined {
    return this.checked(keyword, Array.isArray, 'an array')
  }

  object(keyword: string): JsonObject | undefined {
    return this.checked(keyword, isObject, 'an object')
  }

  names(keyword: string): readonly string[] {
    const names = this.list(keyword) ?? []
    return names.map((name) => {
      if (typeof name !== 'string')
        throw new Refusal(this.pointer, `has a ${keyword} that is no list of strings`)
      return name
    })
  }

  private checked<T>(keyword: string, is: (value: unknown) => boolean, what: string): T | undefined {
    const value = this.take(keyword)
    if (value === undefined || is(value)) return value as T | undefined
    throw new Refusal(this.pointer, `has a ${keyword} that is not ${what}`)
  }
}

/** Some JSON values. */
export class Values {
  private readonly names: ReadonlySet<string>
  /** Of the JSON texts of all. */
  readonly characters: number

  constructor(readonly list: readonly unknown[]) {
    this.names = new Set(list.map(canonical))
    this.characters = [...this.names].reduce((sum, { length }) => sum + length, 0)
  }

  /** @throws TooComplex */
  has(value: unknown, effort?: Effort): boolean {
    const name = canonical(value)
    effort?.spend(name.length)
    return this.names.has(name)
  }

  /** Those that both have. @throws TooComplex */
  and(other: Values, effort: Effort): Values {
    effort.spend(2 * this.characters)
    return new Values(this.list.filter((value) => other.has(value)))
  }
}

/** JSON text that only equal values share. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}
