/** What a chat template knows of roles, tools and thinking: found out by rendering small conversations with it. */
import { SetupError } from '../../errors.js'
import type { CallConvention } from '../../grammar/shape.js'
import type { ChatTemplate, TemplateInput, TemplateMessage } from '../../text/chat-template.js'
import { hermes, llama3, mistral } from './tools.js'

export interface Dialect {
  /** Where a system message may be. */
  readonly system: 'anywhere' | 'first' | 'nowhere'
  /** Whether users and assistant have to take turns. */
  readonly alternates: boolean
  /** How calls are written by a template that knows tools; undefined: it tells the model of none. */
  readonly calls: CallConvention | undefined
  /** Whether a message of the assistant may have several calls. */
  readonly parallelCalls: boolean
  /** Whether the ids of calls have nine letters and digits. */
  readonly shortIds: boolean
  /** Whether the parts of a tool's description are written one by one, so that none may be missing. */
  readonly describes: boolean
  /** Whether the model thinks before it answers, or may. */
  readonly thinks: boolean
}

/** @throws SetupError where the template can do nothing with a plain question */
export function dialectOf(template: ChatTemplate): Dialect {
  try {
    template.render({ messages: [user] })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SetupError(`The model's chat template can not be used: ${why}.`, { cause })
  }
  const shortIds = !accepts(template, toolUse(longId)) && accepts(template, toolUse(shortId))
  const id = shortIds ? shortId : longId
  return {
    system: accepts(template, systemAnywhere)
      ? 'anywhere'
      : accepts(template, systemFirst)
        ? 'first'
        : 'nowhere',
    alternates: !accepts(template, usersInARow),
    calls: conventionOf(template, id),
    parallelCalls: accepts(template, toolUse(id, 2)),
    shortIds,
    describes: template.mentions(/\.description\b/),
    thinks: template.mentions('<think>') || template.mentions('</think>'),
  }
}

const says = (role: string, content: string): TemplateMessage => ({ role, content })
const [user, assistant] = [says('user', 'marked 1'), says('assistant', 'marked 2')]
const systemFirst: TemplateInput = { messages: [says('system', 'marked 3'), user] }
const systemAnywhere: TemplateInput = {
  messages: [
    says('system', 'marked 3'),
    says('system', 'marked 4'),
    user,
    assistant,
    says('system', 'marked 5'),
    says('user', 'marked 6'),
  ],
}
const usersInARow: TemplateInput = { messages: [user, says('user', 'marked 7')] }

const [longId, shortId] = ['call_abcdefghijklmnopqrstuvwx', 'abcdefghi']

/** A conversation in which a function is called, at once as often as told, and gives something. */
function toolUse(id: string, times = 1): TemplateInput {
  const ids = [id, id.toUpperCase()].slice(0, times)
  const calls = ids.map((callId, i) => ({
    id: callId,
    type: 'function' as const,
    function: { name: 'marked_tool', arguments: { marked_key: `marked call ${i}` } },
  }))
  const results = ids.map((callId, i) => ({
    role: 'tool',
    tool_call_id: callId,
    name: 'marked_tool',
    content: `marked result ${i}`,
  }))
  return {
    messages: [user, { role: 'assistant', content: '', tool_calls: calls }, ...results],
    tools: [
      {
        type: 'function',
        function: {
          name: 'marked_tool',
          description: 'marked description',
          parameters: {
            type: 'object',
            properties: { marked_key: { type: 'string', description: 'A text.' } },
            required: ['marked_key'],
          },
        },
      },
    ],
  }
}

/** The prompt; undefined where the template refuses the conversation, or can not cope with it. */
function rendered(template: ChatTemplate, input: TemplateInput): string | undefined {
  try {
    return template.render(input)
  } catch {
    return undefined // which is what was asked
  }
}

/** Whether all that is said, called and given comes to be in the prompt. */
function accepts(template: ChatTemplate, input: TemplateInput): boolean {
  const prompt = rendered(template, input)
  const texts = input.messages.flatMap(({ content, tool_calls = [] }) => [
    ...(content === '' ? [] : [content]),
    ...tool_calls.map((call) => String(call.function.arguments.marked_key)),
  ])
  return prompt !== undefined && texts.every((text) => prompt.includes(text))
}

/** The convention in which a call is written, if the model is told of tools, too. */
function conventionOf(template: ChatTemplate, id: string): CallConvention | undefined {
  const { tools } = toolUse(id)
  const told = rendered(template, { messages: [user], ...(tools ? { tools } : {}) })
  if (!told?.includes('marked description')) return undefined
  const prompt = accepts(template, toolUse(id)) ? template.render(toolUse(id)) : ''
  const call = (key: string) => `"name": "marked_tool", "${key}": \\{"marked_key": "marked call 0"`
  // In history, Hermes' own templates have the arguments first: what they tell the model to write has the name first.
  const [tagged = ''] =
    /<tool_call>\n\{[^\n]*\}\n<\/tool_call>/.exec(prompt.slice(prompt.indexOf(user.content))) ?? []
  if (/"name": "marked_tool"/.test(tagged) && /"arguments": \{"marked_key"/.test(tagged)) return hermes
  const list = RegExp(`\\[TOOL_CALLS\\]( ?)\\[\\{${call('arguments')}`).exec(prompt)
  if (list) return mistral(list[1] === ' ' ? ' ' : '')
  return RegExp(`\\{${call('parameters')}`).test(prompt) ? llama3 : undefined
}
