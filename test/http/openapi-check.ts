/**
 * Holds everything that the tests send to the service, and everything it answers, against its own /openapi.json.
 * hooks.ts puts it around fetch, which OpenAI's client uses, too.
 */
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { description } from '#src/http/openapi.js'

interface Content {
  readonly [mediaType: string]: { readonly schema?: object }
}
interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content; readonly $ref?: string }>>
}
export interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>
    readonly responses: Readonly<Record<string, { readonly content: Content }>>
  }
}

export const described = description('any') as Description

const name = 'description'
const common = { strict: false, validateFormats: false, allErrors: true }
/** Numbers in forms are texts. */
const ajvs = { json: new Ajv2020(common), form: new Ajv2020({ ...common, coerceTypes: true }) }
for (const ajv of Object.values(ajvs)) ajv.addSchema({ components: described.components }, name)
const compiled = new Map<object, ValidateFunction>()

/** What is wrong with a value, or null. */
function fault(schema: object, value: unknown, kind: keyof typeof ajvs = 'json'): string | null {
  const absolute = JSON.parse(
    JSON.stringify(schema).replaceAll('"#/components', `"${name}#/components`),
  ) as object
  const validate = compiled.get(schema) ?? ajvs[kind].compile(absolute)
  compiled.set(schema, validate)
  return validate(value) ? null : ajvs[kind].errorsText(validate.errors)
}

/** One request and what became of it. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly sent: unknown
  readonly status: number
  /** The media type without parameters; '' for none. */
  readonly type: string
  /** As far as the client read it. */
  readonly text: string
}

/** @throws AssertionError where the description is not true of it */
export function check({ method, path, sent, status, type, text }: Exchange): void {
  const at = `${method} ${path} → ${status} ${type}`
  const operation = operationOf(method, path)
  if (!operation) {
    assert.ok(status === 404 || status === 405, `${at}: is not described`)
    assert.equal(fault(described.components.schemas.Error!, JSON.parse(text)), null, at)
    return
  }
  if (status < 300 && operation.requestBody) {
    const [media, { schema }] = Object.entries(operation.requestBody.content)[0]!
    const wrong = fault(schema!, sent, media === 'multipart/form-data' ? 'form' : 'json')
    assert.equal(wrong, null, `${at}: was accepted`)
  }
  const response = operation.responses[status]
  assert.ok(response, `${at}: this status is not described`)
  const content = response.$ref ? described.components.responses[status]!.content : response.content!
  const media = Object.keys(content).find((known) => known.split(';')[0] === type)
  assert.ok(media, `${at}: this media type is not described`)
  const { schema } = content[media]!
  if (!schema || method === 'HEAD') return
  for (const value of valuesOf(type, text))
    assert.equal(fault(schema, value), null, `${at}: ${JSON.stringify(value).slice(0, 500)}`)
}

function operationOf(method: string, path: string): Operation | undefined {
  const found = Object.keys(described.paths).find((template) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '.+')}$`).test(path),
  )
  return found === undefined
    ? undefined
    : described.paths[found]![method.toLowerCase().replace('head', 'get')]
}

/** Of a stream, its events. */
function valuesOf(type: string, text: string): unknown[] {
  if (type === 'application/json') return [JSON.parse(text)]
  if (type !== 'text/event-stream') return [text]
  const data = text.split('\n\n').slice(0, -1)
  return data.filter((event) => /^data: \{/.test(event)).map((event) => JSON.parse(event.slice(6)) as unknown)
}

let running: Promise<void>[] = []
let checked = 0

/** From now on fetch looks at what it fetches from a service of ours, which its `openai-version` tells. */
export function watchFetch(): void {
  const { fetch } = globalThis
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init)
    const { pathname: path } = new URL(input instanceof Request ? input.url : input)
    const method = init?.method ?? 'GET'
    const ours = response.headers.has('openai-version')
    if (!ours || method === 'OPTIONS' || path === '/' || path.startsWith('/page/')) return response
    const exchange = observe(response.clone(), { method, path, sent: bodyOf(init?.body) })
    exchange.catch(() => {}) // told by exchangesChecked
    running.push(exchange)
    return response
  }
}

/** Resolves when what was fetched so far is checked, or fails with what was wrong with it; tells how many there were. */
export async function exchangesChecked(): Promise<number> {
  const waiting = running
  running = []
  await Promise.all(waiting)
  return checked
}

async function observe(
  response: Response,
  request: Pick<Exchange, 'method' | 'path' | 'sent'>,
): Promise<void> {
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!
  let text = ''
  try {
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true })
  } catch (error) {
    // Left by the test, or cut by the service's end: then the events until then are checked.
    if (type !== 'text/event-stream') return
    assert.ok(error instanceof Error)
  }
  check({ ...request, status: response.status, type, text })
  checked++
}

function bodyOf(body: unknown): unknown {
  if (body instanceof FormData)
    return Object.fromEntries(
      [...body].map(([field, value]) => [
        field.replace('[]', ''),
        typeof value === 'string' ? value : 'bytes',
      ]),
    )
  if (typeof body !== 'string') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return undefined // the service is to refuse it
  }
}
