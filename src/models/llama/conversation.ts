/** A conversation in the terms of a model's chat template. */
import { createHash } from 'node:crypto'
import { ServiceError } from '../../errors.js'
import type { JsonSchema } from '../../grammar/shape.js'
import type { TemplateInput, TemplateMessage, TemplateTool } from '../../text/chat-template.js'
import { isObject, type JsonObject } from '../../text/json-file.js'
import type { Dialect } from './dialect.js'
import type { ChatMessage, PastToolCall, Tool } from './request.js'
import { hermes } from './tools.js'

/** Keeps the texts of a conversation from meaning anything to the model but themselves. */
export interface Guard {
  text(text: string): string
  /** What an assistant said, whose thoughts some templates leave out. */
  said(text: string): string
}

/**
 * @throws ServiceError `invalid_value` for arguments of calls that are not JSON, for results of calls that nobody made
 */
export function conversation(
  messages: readonly ChatMessage[],
  tools: readonly Tool[],
  dialect: Dialect,
  guard: Guard,
): TemplateInput {
  const written = templateMessages(messages, dialect, guard)
  const told = tools.map((tool) => templateTool(tool, dialect, guard))
  const native = dialect.calls !== undefined
  const spoken = native ? (dialect.parallelCalls ? written : oneByOne(written)) : inHermes(written, told)
  return {
    messages: takingTurns(placed(spoken, dialect.system), dialect.alternates),
    ...(native && told.length > 0 ? { tools: told } : {}),
  }
}

function templateMessages(
  messages: readonly ChatMessage[],
  { shortIds }: Dialect,
  guard: Guard,
): TemplateMessage[] {
  const called = new Map<string, string>()
  const id = (callId: string) => (shortIds ? shortened(callId) : guard.text(callId))
  return messages.map((message, index): TemplateMessage => {
    const { role } = message
    if (role === 'tool') {
      const name = called.get(message.callId)
      if (name === undefined) throw nobodyCalled(message.callId, `messages[${index}].tool_call_id`)
      const content = guard.text(message.content)
      return { role, content, tool_call_id: id(message.callId), name: guard.text(name) }
    }
    if (role !== 'assistant') return { role, content: guard.text(message.content) }
    const content = guard.said(message.content)
    if (!message.toolCalls?.length) return { role, content }
    const calls = message.toolCalls.map((call, at) => {
      called.set(call.id, call.name)
      const given = argumentsOf(call, `messages[${index}].tool_calls[${at}].function.arguments`)
      const written = { name: guard.text(call.name), arguments: guarded(given, guard) as JsonObject }
      return { id: id(call.id), type: 'function' as const, function: written }
    })
    return { role, content, tool_calls: calls }
  })
}

const nobodyCalled = (callId: string, param: string): ServiceError => {
  const what = `No message before this one calls a function by the id ${JSON.stringify(callId)}`
  return new ServiceError('invalid_value', `${what}: give the id of a call.`, param)
}

/** No arguments at all are written as an empty text, too. */
function argumentsOf(call: PastToolCall, param: string): JsonObject {
  let value: unknown
  let cause: unknown
  try {
    value = call.arguments.trim() === '' ? {} : JSON.parse(call.arguments)
  } catch (thrown) {
    cause = thrown
  }
  if (isObject(value) && depth(call.arguments) <= MOST_NESTED) return value
  const what = `The arguments of the call of ${JSON.stringify(call.name)} are not the text of a JSON object`
  const limit = `of at most ${MOST_NESTED} levels`
  throw new ServiceError('invalid_value', `${what} ${limit}.`, param, { cause })
}

/** What templates and models can cope with, and the stack, too. */
const MOST_NESTED = 64

/** Levels of a JSON text, or more if its strings have brackets. */
function depth(json: string): number {
  let [level, most] = [0, 0]
  for (const [bracket] of json.matchAll(/[[\]{}]/g)) {
    level += bracket === '[' || bracket === '{' ? 1 : -1
    most = Math.max(most, level)
  }
  return most
}

/** All keys and texts of a JSON value guarded. */
function guarded(value: unknown, guard: Guard): unknown {
  if (typeof value === 'string') return guard.text(value)
  if (Array.isArray(value)) return value.map((item) => guarded(item, guard))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [guard.text(key), guarded(item, guard)]),
  )
}

/** Nine letters and digits, the same for the same id: Mistral's templates take no other. */
function shortened(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id
  return createHash('sha256').update(id).digest('hex').slice(0, 9)
}

function templateTool(
  { name, description, parameters }: Tool,
  { describes }: Dialect,
  guard: Guard,
): TemplateTool {
  const schema = parameters ?? { type: 'object', properties: {} }
  return {
    type: 'function',
    function: {
      name: guard.text(name),
      ...(description !== undefined || describes ? { description: guard.text(description ?? '') } : {}),
      parameters: guarded(describes ? described(schema) : schema, guard) as JsonObject | boolean,
    },
  }
}

/** A schema whose properties all have a description. */
function described(schema: JsonSchema): JsonSchema {
  if (!isObject(schema)) return schema
  const properties = isObject(schema.properties) ? schema.properties : {}
  const all = Object.entries(properties).map(([key, property]) => [
    key,
    isObject(property) && property.description === undefined ? { ...property, description: '' } : property,
  ])
  return { ...schema, properties: Object.fromEntries(all) }
}

/** Every call in a message of its own, with what it gave behind it. */
function oneByOne(messages: readonly TemplateMessage[]): TemplateMessage[] {
  const results = new Map<string, TemplateMessage>()
  const several = messages.filter(({ tool_calls: calls = [] }) => calls.length > 1)
  const ids = new Set(several.flatMap(({ tool_calls: calls = [] }) => calls.map(({ id }) => id)))
  for (const message of messages)
    if (message.tool_call_id !== undefined && ids.has(message.tool_call_id))
      results.set(message.tool_call_id, message)
  const moved = new Set(results.values())
  return messages.flatMap((message) => {
    if (moved.has(message)) return []
    const { tool_calls: calls = [], ...rest } = message
    if (calls.length < 2) return [message]
    return calls.flatMap((call, at) => {
      const result = results.get(call.id)
      const made = { ...rest, content: at === 0 ? rest.content : '', tool_calls: [call] }
      return result ? [made, result] : [made]
    })
  })
}

/** For templates that know no tools: tools, calls and results in words, in the manner of Hermes. */
function inHermes(messages: readonly TemplateMessage[], tools: readonly TemplateTool[]): TemplateMessage[] {
  const list: TemplateMessage[] = []
  let results: string[] = []
  const answered = () => {
    // Several results are one turn, as templates that know tools have them.
    if (results.length > 0) list.push({ role: 'user', content: results.join('\n') })
    results = []
  }
  for (const { role, content, tool_calls: calls = [] } of messages) {
    if (role === 'tool') {
      results.push(`<tool_response>\n${content}\n</tool_response>`)
      continue
    }
    answered()
    const objects = calls.map((call) => spaced(call.function))
    const said = objects.length > 0 ? hermes.begin + objects.join(hermes.between) + hermes.end : ''
    list.push({ role, content: [content, said].filter((part) => part !== '').join('\n') })
  }
  answered()
  if (tools.length === 0) return list
  const first = list.findIndex(({ role }) => role === 'system')
  const told = { role: 'system', content: instruction(tools) }
  if (first < 0) return [told, ...list]
  list[first] = { role: 'system', content: text([list[first]!, told]) }
  return list
}

/** What Hermes and Qwen are told, in short. */
const instruction = (tools: readonly TemplateTool[]): string =>
  `You can call functions to help the user. Their signatures are between these tags, one a line:
<tools>
${tools.map(spaced).join('\n')}
</tools>

To call one, write a JSON object with its name and its arguments between tags like this:
${hermes.begin}{"name": "<its name>", "arguments": {<its arguments>}}${hermes.end}

What it gives comes back between <tool_response> tags. Do not make up arguments that you do not know, and call nothing where you can answer without.`

/** JSON as Python writes it, which is what models have seen in such places. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`)
  return `{${entries.join(', ')}}`
}

/** System messages where the template takes them: at the beginning in one, or within what the user says next. */
function placed(messages: readonly TemplateMessage[], where: Dialect['system']): readonly TemplateMessage[] {
  if (where === 'anywhere') return messages
  const start = messages.findIndex(({ role }) => role !== 'system')
  const leading = where === 'nowhere' ? [] : messages.slice(0, start < 0 ? messages.length : start)
  const list: TemplateMessage[] = leading.length > 0 ? [{ role: 'system', content: text(leading) }] : []
  let waiting: TemplateMessage[] = []
  for (const message of messages.slice(leading.length)) {
    if (message.role === 'system') waiting.push(message)
    else if (message.role !== 'user') list.push(message)
    else {
      list.push({ ...message, content: text([...waiting, message]) })
      waiting = []
    }
  }
  if (waiting.length > 0) list.push({ role: 'user', content: text(waiting) })
  return list
}

/** What is said by one side in a row, as one message. */
function takingTurns(messages: readonly TemplateMessage[], alternates: boolean): readonly TemplateMessage[] {
  if (!alternates) return messages
  const runs: TemplateMessage[][] = []
  for (const message of messages) {
    const last = runs.at(-1)
    const speaks = (message.role === 'user' || message.role === 'assistant') && !message.tool_calls
    if (speaks && last?.[0]?.role === message.role && !last[0].tool_calls) last.push(message)
    else runs.push([message])
  }
  return runs.map((run) => (run.length === 1 ? run[0]! : { role: run[0]!.role, content: text(run) }))
}

const text = (messages: readonly TemplateMessage[]): string =>
  messages
    .map(({ content }) => content)
    .filter((content) => content !== '')
    .join('\n\n')
