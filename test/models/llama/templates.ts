/** Chat templates as checkpoints have them, and the conversations of test/golden/chat-templates/golden.json. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChatMessage, Tool } from '#src/models/llama/request.js'
import { type ChatTemplate, loadChatTemplate } from '#src/text/chat-template.js'
import { root } from '../../root.js'
import { newFolder } from '../engine.js'

export interface GoldenTemplate {
  readonly name: string
  readonly template: string
  readonly bos_token: string
  readonly eos_token: string
  readonly short?: boolean
  readonly cases: readonly {
    readonly name: string
    readonly prompt: string
    readonly effort?: 'none' | 'high'
  }[]
}

const { templates } = JSON.parse(
  readFileSync(join(root, 'test/golden/chat-templates/golden.json'), 'utf8'),
) as { templates: readonly GoldenTemplate[] }

export { templates }

/** A template as it is loaded from a checkpoint's folder. */
export function loaded({
  template,
  ...tokens
}: Pick<GoldenTemplate, 'template'> & Partial<GoldenTemplate>): ChatTemplate {
  const folder = newFolder()
  const { bos_token = '<s>', eos_token = '</s>' } = tokens
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token, eos_token }))
  writeFileSync(join(folder, 'chat_template.jinja'), template)
  return loadChatTemplate(folder)
}

export const goldenTemplate = (name: string): ChatTemplate =>
  loaded(templates.find((template) => template.name === name)!)

const parameters = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
})
export const tools: readonly Tool[] = [
  {
    name: 'get_weather',
    description: 'The weather of a city, “now”.',
    parameters: parameters({ city: { type: 'string', description: 'Its name.' } }),
  },
  {
    name: 'get_time',
    description: 'The time of day.',
    parameters: parameters({ zone: { type: 'string', enum: ['UTC', 'CET'], description: 'Time zone.' } }),
  },
]

export const system: ChatMessage = { role: 'system', content: 'Be brief.' }
export const user: ChatMessage = { role: 'user', content: 'What is the weather in Zürich?' }

/** A conversation in which both functions are called at once. */
export function used(
  sky = 'call_abcdefghijklmnopqrstuvwx',
  time = 'call_ABCDEFGHIJKLMNOPQRSTUVWX',
): readonly ChatMessage[] {
  return [
    system,
    user,
    {
      role: 'assistant',
      content: '',
      toolCalls: [
        { id: sky, name: 'get_weather', arguments: '{"city":"Zürich"}' },
        { id: time, name: 'get_time', arguments: '{ "zone" : "CET" }' },
      ],
    },
    { role: 'tool', callId: sky, content: '{"sky": "clear"}' },
    { role: 'tool', callId: time, content: '12:00' },
  ]
}

export const conversations: Readonly<Record<string, readonly ChatMessage[]>> = {
  plain: [
    system,
    user,
    { role: 'assistant', content: 'Sunny.' },
    { role: 'user', content: '  And in Oslo?\n' },
  ],
  'no system': [user],
  tools: [system, user],
  'effort none': [user],
  'effort high': [user],
  thought: [user, { role: 'assistant', content: '<think>\nHm.\n</think>\n\nSunny.' }, user],
}
