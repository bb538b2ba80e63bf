/** ajv's findings as one precise sentence and OpenAI's `param`. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type FailureCode, ServiceError } from '../errors.js'

const ajv = new Ajv({ discriminator: true, allowUnionTypes: true, strictTypes: false, verbose: true })

/**
 * A function that takes any value and returns it typed.
 * It throws ServiceError with the field (`messages[0].content`), what is wrong with it, and its value.
 */
export function validator<T>(schema: object): (value: unknown) => T {
  const validate: ValidateFunction<T> = ajv.compile<T>(schema)
  return (value) => {
    if (validate(value)) return value
    throw failure(mostSpecific(validate.errors ?? []), value)
  }
}

/**
 * The error that lies deepest: `oneOf` and `anyOf` only say that something below them failed, and a value of the wrong
 * type is not looked at further. Alternatives that all want another type are one error that names their types.
 */
function mostSpecific(errors: readonly ErrorObject[]): ErrorObject {
  const ofWrongType = new Set(errors.flatMap((error) => (error.keyword === 'type' ? error.parentSchema : [])))
  const own = errors.filter(
    ({ keyword, parentSchema }) =>
      keyword === 'type' || !(['oneOf', 'anyOf'].includes(keyword) || ofWrongType.has(parentSchema)),
  )
  const depth = Math.max(...own.map(({ instancePath }) => instancePath.length))
  const deepest = own.filter(({ instancePath }) => instancePath.length === depth)
  const precise = deepest.find(({ keyword }) => keyword !== 'type')
  if (precise) return precise
  const types = deepest.flatMap(({ params }) => params.type as string | string[])
  return { ...deepest[0]!, params: { type: [...new Set(types)] } }
}

function failure(error: ErrorObject, body: unknown): ServiceError {
  const parent = field(error.instancePath, body)
  const { keyword, params, data } = error as {
    keyword: string
    params: Record<string, unknown>
    data: unknown
  }
  const within = (name: unknown) => (parent ? `${parent}.${name}` : String(name))
  const say = (code: FailureCode, param: string, sentence: string) =>
    new ServiceError(code, sentence, param || null)
  switch (keyword) {
    case 'required': {
      const param = within(params.missingProperty)
      return say('missing_required_parameter', param, `Missing required parameter: '${param}'.`)
    }
    case 'discriminator': {
      const param = within(params.tag)
      const value = shown((data as Record<string, unknown>)[String(params.tag)])
      const schema = error.parentSchema as { oneOf: { properties: Record<string, { const: string }> }[] }
      const tags = schema.oneOf.map(({ properties }) => properties[String(params.tag)]?.const)
      return say(
        'invalid_value',
        param,
        `Invalid value for '${param}': ${value}; supported are ${tags.join(', ')}.`,
      )
    }
    case 'enum':
      return say(
        'invalid_value',
        parent,
        `Invalid value for '${parent}': ${shown(data)}; supported are ${(params.allowedValues as (string | null)[]).filter((value) => value !== null).join(', ')}.`,
      )
    case 'const':
      return say(
        'invalid_value',
        parent,
        `Invalid value for '${parent}': must be ${shown(params.allowedValue)}, not ${shown(data)}.`,
      )
    case 'type':
      return say(
        'invalid_value',
        parent,
        `Invalid type for '${parent || 'the body'}': must be ${[params.type].flat().join(' or ')}, not ${kind(data)}.`,
      )
    default:
      return say(
        'invalid_value',
        parent,
        `Invalid value for '${parent || 'the body'}': ${error.message}${typeof data === 'object' ? '' : `, not ${shown(data)}`}.`,
      )
  }
}

/** `/messages/0/content` → `messages[0].content`. */
function field(pointer: string, body: unknown): string {
  let value = body
  let path = ''
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    path += Array.isArray(value) ? `[${name}]` : `.${name}`
    value = (value as Record<string, unknown>)[name]
  }
  return path.replace(/^\./, '')
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 64 ? `${text.slice(0, 61)}…` : text
}

function kind(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}
