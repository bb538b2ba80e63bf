/** What a request says about functions → what the assistant is asked. */
import type { ChatRequest } from '../assistant/chat.js'
import { ServiceError } from '../errors.js'
import type { ChatBody } from './chat-schema.js'
import type { ToolBody, ToolChoiceBody } from './tool-schema.js'

/** In characters of JSON, of all that a request has: what a context of 8192 tokens holds is a quarter of it. */
const LONGEST_SCHEMAS = 128 * 1024

type ToolUse = Pick<ChatRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'>

/** @throws ServiceError naming a function that is there twice, or one that is chosen and not there */
export function toolUse({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ChatBody): ToolUse {
  if (!tools?.length) {
    if (choice && choice !== 'none' && choice !== 'auto')
      throw new ServiceError(
        'invalid_value',
        "Invalid value for 'tool_choice': it is only allowed when 'tools' are given.",
        'tool_choice',
      )
    return {}
  }
  checkNames(tools)
  const schemas = tools.map((tool) => tool.function.parameters)
  checkSchemaLength(schemas, 'tools')
  const { names, toolChoice } = chosen(choice ?? 'auto', tools)
  return {
    tools: tools
      .map(({ function: { name, description, parameters, strict } }, index) => ({
        name,
        description: description ?? undefined,
        parameters: parameters ?? undefined,
        strict: strict ?? undefined,
        index,
      }))
      .filter(({ name }) => names.has(name)),
    toolChoice,
    parallelToolCalls: parallel ?? undefined,
  }
}

/** @throws ServiceError where a schema is longer than any use of it */
export function checkSchemaLength(schema: unknown, at: string): void {
  const { length } = JSON.stringify(schema)
  if (length > LONGEST_SCHEMAS)
    throw new ServiceError(
      'invalid_value',
      `Invalid value for '${at}': its JSON Schema has ${length} characters; the limit is ${LONGEST_SCHEMAS}.`,
      at,
    )
}

function checkNames(tools: readonly ToolBody[]): void {
  const seen = new Set<string>()
  for (const [i, tool] of tools.entries()) {
    const { name } = tool.function
    const at = `tools[${i}].function.name`
    if (seen.has(name))
      throw new ServiceError('invalid_value', `Invalid value for '${at}': there are two tools "${name}".`, at)
    seen.add(name)
  }
}

/** What may be called, and whether it is. */
function chosen(
  choice: ToolChoiceBody,
  tools: readonly ToolBody[],
): { names: ReadonlySet<string>; toolChoice: NonNullable<ToolUse['toolChoice']> } {
  const names = new Set(tools.map((tool) => tool.function.name))
  const known = (name: string, at: string) => {
    if (names.has(name)) return name
    throw new ServiceError(
      'invalid_value',
      `Invalid value for '${at}': there is no tool ${JSON.stringify(name.slice(0, 64))}; there are ${[...names].slice(0, 10).join(', ')}${names.size > 10 ? ' …' : ''}.`,
      at,
    )
  }
  if (typeof choice === 'string') return { names, toolChoice: choice }
  if (choice.type === 'function')
    return { names, toolChoice: { name: known(choice.function.name, 'tool_choice.function.name') } }
  const { mode, tools: allowed } = choice.allowed_tools
  return {
    names: new Set(
      allowed.map(({ function: { name } }, i) =>
        known(name, `tool_choice.allowed_tools.tools[${i}].function.name`),
      ),
    ),
    toolChoice: mode,
  }
}
