/** Conversation → prompt text, by the checkpoint's own Jinja template. */
import { join } from 'node:path'
import { Template } from '@huggingface/jinja'
import { ServiceError, SetupError } from '../errors.js'
import { isObject, type JsonObject, readJsonObject, readTextIfPresent } from './json-file.js'

/** Names and forms are those that templates expect: transformers' chat messages. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
  readonly tool_calls?: readonly TemplateCall[]
  /** Of a tool's message: the call that it answers, and the function that was called. */
  readonly tool_call_id?: string
  readonly name?: string
}

export interface TemplateCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: JsonObject }
}

export interface TemplateTool {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description?: string
    readonly parameters: JsonObject | boolean
  }
}

export interface TemplateInput {
  readonly messages: readonly TemplateMessage[]
  readonly tools?: readonly TemplateTool[]
  /** What else some templates know, such as `enable_thinking`. */
  readonly variables?: JsonObject
}

export interface ChatTemplate {
  /**
   * The prompt for the assistant's next message. Its special tokens are written out: encode it with nothing added.
   * A template that refuses the conversation (`raise_exception`) is a ServiceError `invalid_value` at `messages`.
   */
  render(input: TemplateInput): string
  /** Whether its source has this text. */
  mentions(text: string | RegExp): boolean
}

/** Characters of a template, well above those in use: parsing and rendering take time by its size. */
const longest = 128 * 1024

/** Loads chat_template.jinja, else tokenizer_config.json's `chat_template`; SetupError naming the file at fault. */
export function loadChatTemplate(folder: string): ChatTemplate {
  const config = readJsonObject(folder, 'tokenizer_config.json')
  const file = readTextIfPresent(folder, 'chat_template.jinja')
  const path = join(folder, file === undefined ? 'tokenizer_config.json' : 'chat_template.jinja')
  const sources = file === undefined ? sourcesIn(config, path) : { plain: file, toolUse: undefined }
  const plain = parse(sources.plain, path)
  const toolUse = sources.toolUse === undefined ? plain : parse(sources.toolUse, path)
  const constants = {
    add_generation_prompt: true,
    bos_token: tokenText(config.bos_token),
    eos_token: tokenText(config.eos_token),
    documents: null,
    refuse: (message: unknown) => {
      throw new ServiceError('invalid_value', String(message), 'messages')
    },
  }
  const all = `${sources.plain}\n${sources.toolUse ?? ''}`
  return {
    render({ messages, tools = [], variables }) {
      // A template for tools takes an empty list; one for all conversations takes it for tools that are there.
      const withTools = tools.length > 0 || messages.some(({ tool_calls: calls }) => calls)
      const template = withTools ? toolUse : plain
      const told = tools.length > 0 || template !== plain ? tools : null
      return template.render({ ...variables, ...constants, messages, tools: told })
    },
    mentions: (text) => (typeof text === 'string' ? all.includes(text) : text.test(all)),
  }
}

/** Line ends are what Jinja makes of them, whatever an editor or a checkout has made of them before. */
function parse(text: string, path: string): Template {
  const source = text.replace(/\r\n?/g, '\n')
  if (source.length > longest) {
    throw new SetupError(
      `The chat template in ${path} has ${source.length} characters, the limit is ${longest}.`,
    )
  }
  try {
    const template = new Template(source)
    // The library's own raise_exception throws a plain Error, as its faults are, and can only be hidden from within.
    template.parsed.body.unshift(...new Template('{% set raise_exception = refuse %}').parsed.body)
    return template
  } catch (cause) {
    throw new SetupError(`The chat template in ${path} can not be parsed: ${String(cause)}.`, { cause })
  }
}

/** `chat_template` is a string, or a list of named ones: `default` is the plain chat, `tool_use` the one with tools. */
function sourcesIn(config: JsonObject, path: string): { plain: string; toolUse: string | undefined } {
  const entry = config.chat_template
  if (typeof entry === 'string') return { plain: entry, toolUse: undefined }
  const named = (name: string): string | undefined => {
    const found: unknown =
      Array.isArray(entry) && entry.find((item: unknown) => isObject(item) && item.name === name)
    return isObject(found) && typeof found.template === 'string' ? found.template : undefined
  }
  const plain = named('default')
  if (plain !== undefined) return { plain, toolUse: named('tool_use') }
  throw new SetupError(
    `${path} has no chat template: choose a model made for chat, or add chat_template.jinja.`,
  )
}

/** A special token is written as its text, or as an object with `content`; null and absent give an empty text. */
function tokenText(token: unknown): string {
  if (typeof token === 'string') return token
  return isObject(token) && typeof token.content === 'string' ? token.content : ''
}
